package sandbox

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// bridgeName is the switch that all containers with a network plug into.
const bridgeName = "cutaway0"

// networks are those the lab's own may be, with the host's address in it: the
// first that the host is not in already. Private ones, by RFC 1918, and such as
// few others choose.
var networks = []netip.Prefix{
	netip.MustParsePrefix("10.90.0.1/24"), netip.MustParsePrefix("10.219.0.1/24"),
	netip.MustParsePrefix("172.29.90.1/24"), netip.MustParsePrefix("192.168.219.1/24"),
}

// NetworkError says that the host is in all networks the lab could use.
type NetworkError struct{ Clashes []string }

// Error names them, and who is in each.
func (e *NetworkError) Error() string {
	return "find a network for the bridge " + bridgeName + ": all are taken: " + strings.Join(e.Clashes, ", ")
}

// Hint says how a container can do without.
func (e *NetworkError) Hint() string {
	return "without a network of its own: cutaway run --net none or --net host"
}

// network gives the lab's network: the one that live containers are in, else the
// first that clashes with nothing the host has.
func (l *Lab) network(live []Record) (netip.Prefix, error) {
	for _, r := range live {
		if gateway, err := netip.ParsePrefix(r.Net.Gateway); err == nil && r.Live && r.Net.Mode == "bridge" {
			return gateway, nil
		}
	}
	taken, err := hostNetworks()
	if err != nil {
		return netip.Prefix{}, err
	}
	return firstFree(networks, taken)
}

// firstFree picks the first of these networks that overlaps with none taken.
func firstFree(from []netip.Prefix, taken map[netip.Prefix]string) (netip.Prefix, error) {
	e := &NetworkError{}
	for _, n := range from {
		clash := ""
		for other, link := range taken {
			if other.Overlaps(n) {
				clash = fmt.Sprintf("%s by %s on %s", n.Masked(), other, link)
			}
		}
		if clash == "" {
			return n, nil
		}
		e.Clashes = append(e.Clashes, clash)
	}
	return netip.Prefix{}, e
}

// hostNetworks are the networks that the host reaches otherwise than by its
// default route, and the links they are on: its addresses, and its routes as
// /proc/net/route has them. What is on the lab's own bridge does not count.
func hostNetworks() (map[netip.Prefix]string, error) {
	taken := map[netip.Prefix]string{}
	links, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list the host's links: %w", err)
	}
	for _, link := range links {
		addresses, err := link.Addrs()
		if err != nil || link.Name == bridgeName {
			continue // a link that is just going has none
		}
		for _, a := range addresses {
			if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
				taken[p.Masked()] = link.Name
			}
		}
	}
	routes, err := os.ReadFile("/proc/net/route")
	if errors.Is(err, fs.ErrNotExist) {
		return taken, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the host's routes: %w", err)
	}
	for p, link := range parseRoutes(string(routes)) {
		if link != bridgeName {
			taken[p] = link
		}
	}
	return taken, nil
}

// parseRoutes reads /proc/net/route: a line for each route, with destination and
// mask as hexadecimal numbers in the machine's byte order. Default routes are
// left out.
func parseRoutes(table string) map[netip.Prefix]string {
	routes := map[netip.Prefix]string{}
	for line := range strings.Lines(table) {
		const link, destination, mask, fields = 0, 1, 7, 8
		f := strings.Fields(line)
		if len(f) < fields {
			continue
		}
		to, err := hex.DecodeString(f[destination])
		wide, maskErr := hex.DecodeString(f[mask])
		if err != nil || maskErr != nil || len(to) != 4 || len(wide) != 4 {
			continue // the head
		}
		if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
			slices.Reverse(to)
		}
		length := bits.OnesCount32(binary.BigEndian.Uint32(wide))
		if p := netip.PrefixFrom(netip.AddrFrom4([4]byte(to)), length); length > 0 {
			routes[p.Masked()] = f[link]
		}
	}
	return routes
}
