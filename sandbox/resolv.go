package sandbox

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

// resolvers are where a host says who resolves its names: resolv.conf(5), and,
// where that is systemd-resolved on the host's own loopback, those whom it asks:
// systemd-resolved.service(8).
var resolvers = []string{"etc/resolv.conf", "run/systemd/resolve/resolv.conf"}

// Resolv is the text of a container's /etc/resolv.conf on this host; "" is none.
func Resolv() (string, error) { return resolvConf("/") }

// resolvConf is the host's at root, without comments and without resolvers on its
// loopback: inside, 127.0.0.1 is somebody else.
func resolvConf(root string) (string, error) {
	text := "# the host has no resolv.conf\n"
	for _, file := range resolvers {
		b, err := os.ReadFile(filepath.Join(root, file))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("read the host's resolver: %w", err)
		}
		var usable bool
		if text, usable = reachable(string(b)); usable {
			break
		}
	}
	return text, nil
}

// reachable keeps what matters inside a container; usable is false if no resolver
// is left.
func reachable(text string) (kept string, usable bool) {
	for l := range strings.Lines(text) {
		f := strings.Fields(l)
		switch {
		case len(f) == 0, strings.HasPrefix(f[0], "#"), strings.HasPrefix(f[0], ";"):
			continue
		case len(f) > 1 && f[0] == "nameserver":
			if a, err := netip.ParseAddr(f[1]); err == nil && a.IsLoopback() {
				continue
			}
			usable = true
		}
		kept += strings.TrimRight(l, "\n") + "\n"
	}
	return kept, usable
}
