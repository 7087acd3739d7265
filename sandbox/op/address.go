//go:build !init

package op

import (
	"net"

	"github.com/vishvananda/netlink"

	"cutaway/sandbox/sys"
)

// Address gives a link in init's network namespace its address and brings it
// up: RTM_NEWADDR, rtnetlink(7). The host does it, on a thread that joins that
// namespace: a netlink socket belongs to the namespace it was made in.
type Address struct {
	Link string `json:"link"`
	CIDR string `json:"cidr"` // 10.90.0.2/24
}

// Name implements Op.
func (Address) Name() string { return "address" }

// Do implements Op.
func (o Address) Do(k *sys.Kernel, t *Target) error {
	address, err := netlink.ParseAddr(o.CIDR)
	if err != nil {
		return at(err, "parse address %q", o.CIDR)
	}
	err = k.Within(t.Proc("ns/net"), sys.NewNet, func() error {
		link, err := findLink(k, o.Link)
		if err != nil {
			return err
		}
		if err := addAddress(k, link, o.Link, address); err != nil {
			return err
		}
		return linkUp(k, link, o.Link)
	})
	return at(err, "configure %s in %s", o.Link, t.Proc("ns/net"))
}

// Shell implements Op.
func (o Address) Shell() string {
	link := quote(o.Link)
	return nsenterNet + "sh -c " + quote("ip address add "+quote(o.CIDR)+" brd + dev "+link+" && ip link set "+link+" up")
}

// Route adds the default route in init's network namespace: RTM_NEWROUTE,
// rtnetlink(7). What is on no link of the container's goes to the gateway.
type Route struct {
	Gateway string `json:"gateway"` // 10.90.0.1
}

// Name implements Op.
func (Route) Name() string { return "route" }

// Do implements Op.
func (o Route) Do(k *sys.Kernel, t *Target) error {
	err := k.Within(t.Proc("ns/net"), sys.NewNet, func() error {
		return k.Netlink("RTM_NEWROUTE", "dst=default, gateway="+o.Gateway,
			func() error { return netlink.RouteAdd(&netlink.Route{Gw: net.ParseIP(o.Gateway)}) })
	})
	return at(err, "add default route by %s in %s", o.Gateway, t.Proc("ns/net"))
}

// Shell implements Op.
func (o Route) Shell() string { return nsenterNet + "ip route add default via " + quote(o.Gateway) }

// nsenterNet begins a command line that runs in init's network namespace.
const nsenterNet = "nsenter --net=/proc/$PID/ns/net "
