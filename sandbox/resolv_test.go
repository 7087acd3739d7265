package sandbox

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestResolvConf(t *testing.T) {
	for _, c := range []struct{ name, own, uplink, want string }{
		{"plain", "# by dhclient\n\nsearch lab\nnameserver 192.0.2.1\n", "", "search lab\nnameserver 192.0.2.1\n"},
		{"no end of line", "nameserver 192.0.2.1", "", "nameserver 192.0.2.1\n"},
		{"one of two", "nameserver ::1\nnameserver 192.0.2.1\n", "nameserver 192.0.2.2\n", "nameserver 192.0.2.1\n"},
		{"systemd-resolved", "; stub\nnameserver 127.0.0.53\noptions edns0\n", "nameserver 192.0.2.2\nsearch lab\n", "nameserver 192.0.2.2\nsearch lab\n"},
		{"dnsmasq on loopback", "nameserver 127.0.0.1\nsearch lab\n", "", "search lab\n"},
		{"none", "", "", "# the host has no resolv.conf\n"},
	} {
		root := t.TempDir()
		for name, text := range map[string]string{"etc/resolv.conf": c.own, "run/systemd/resolve/resolv.conf": c.uplink} {
			if text != "" {
				require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
				require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
			}
		}
		got, err := resolvConf(root)
		require.NoError(t, err, c.name)
		require.Equal(t, c.want, got, c.name)
	}
}
