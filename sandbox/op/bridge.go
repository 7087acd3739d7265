//go:build !init

package op

import (
	"errors"
	"net"

	"github.com/vishvananda/netlink"

	"cutaway/sandbox/sys"
)

// Bridge makes the switch that joins the containers of all labs, and gives the
// host an address on it, their gateway: RTM_NEWLINK of kind bridge,
// rtnetlink(7). One that is there already, for another lab, is used as it is.
type Bridge struct {
	Link    string `json:"link"`
	Address string `json:"address"` // the host's, with prefix length: 10.90.0.1/24
	// Own is set for one that no other lab uses.
	Own bool `json:"own,omitempty"`
}

// Name implements Op.
func (Bridge) Name() string { return "bridge" }

// Do implements Op.
func (o Bridge) Do(k *sys.Kernel, _ *Target) error {
	address, err := netlink.ParseAddr(o.Address)
	if err != nil {
		return at(err, "parse address %q", o.Address)
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.HardwareAddr = o.Link, ethernetAddress(address.IP)
	err = k.Netlink("RTM_NEWLINK", "ifname="+sys.Quote(o.Link)+", kind=bridge, address="+attrs.HardwareAddr.String(),
		func() error { return netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attrs}) })
	if err != nil && !errors.Is(err, sys.EEXIST) {
		return at(err, "create bridge %s", o.Link)
	}
	link, err := findLink(k, o.Link)
	if err != nil {
		return err
	}
	if !k.Dry && link.Type() != "bridge" {
		return at(sys.EEXIST, "create bridge %s, which is the name of a %s", o.Link, link.Type())
	}
	if err := addAddress(k, link, o.Link, address); err != nil {
		return err
	}
	return linkUp(k, link, o.Link)
}

// Undo deletes the bridge when no port is left on it: the last lab does.
func (o Bridge) Undo(k *sys.Kernel) error {
	if !k.Dry && bridgeInUse(o.Link) {
		return nil
	}
	return deleteLink(k, o.Link, "bridge")
}

// IsShared implements Shared: all containers plug into the one bridge.
func (o Bridge) IsShared() bool { return !o.Own }

// Shell implements Op.
func (o Bridge) Shell() string {
	link := quote(o.Link)
	return "ip link add " + link + " type bridge && ip address add " + quote(o.Address) + " brd + dev " + link +
		" && ip link set " + link + " up"
}

// ethernetAddress makes a locally administered unicast address (IEEE 802c) of
// an IPv4 address. A bridge without one of its own takes over the lowest of
// its ports', so that it would change as containers come and go.
func ethernetAddress(ip net.IP) net.HardwareAddr {
	return append(net.HardwareAddr{0x02, 0x42}, ip.To4()...)
}

// bridgeInUse reports whether a link is enslaved to bridge name. What cannot
// be found out counts as in use.
func bridgeInUse(name string) bool {
	bridge, err := netlink.LinkByName(name)
	if err != nil {
		return false
	}
	links, err := netlink.LinkList()
	for try := 1; errors.Is(err, netlink.ErrDumpInterrupted) && try < 100; try++ {
		// A namespace that is being taken down changed the list under our eyes.
		links, err = netlink.LinkList()
	}
	if err != nil {
		return true
	}
	for _, l := range links {
		if l.Attrs().MasterIndex == bridge.Attrs().Index {
			return true
		}
	}
	return false
}
