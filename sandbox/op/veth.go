//go:build !init

package op

import (
	"os"

	"github.com/vishvananda/netlink"

	"cutaway/sandbox/sys"
)

// Veth makes a pair of links, what enters one leaves the other, veth(4): one
// end becomes a port of the bridge, the other comes up in init's network
// namespace.
type Veth struct {
	Host      string `json:"host"`      // name of the host's end
	Container string `json:"container"` // name of the end in init's namespace: eth0
	Bridge    string `json:"bridge"`
}

// Name implements Op.
func (Veth) Name() string { return "veth" }

// Do implements Op.
func (o Veth) Do(k *sys.Kernel, t *Target) error {
	host, err := o.create(k, t)
	if err != nil {
		return err
	}
	bridge, err := findLink(k, o.Bridge)
	if err != nil {
		return err
	}
	name := "ifname=" + sys.Quote(o.Host)
	err = k.Netlink("RTM_SETLINK", name+", master="+sys.Quote(o.Bridge),
		func() error { return netlink.LinkSetMaster(host, bridge) })
	if err != nil {
		return at(err, "make %s a port of %s", o.Host, o.Bridge)
	}
	// A frame may leave by the port it came in on: a container can reach a port
	// that it publishes itself.
	err = k.Netlink("RTM_SETLINK", name+", family=AF_BRIDGE, hairpin=on",
		func() error { return netlink.LinkSetHairpin(host, true) })
	if err != nil {
		return at(err, "set hairpin mode of %s", o.Host)
	}
	return linkUp(k, host, o.Host)
}

// create makes both ends by one message. The other end is never in the host's
// namespace, so that its name cannot be taken there.
func (o Veth) create(k *sys.Kernel, t *Target) (netlink.Link, error) {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = o.Host
	veth := &netlink.Veth{LinkAttrs: attrs, PeerName: o.Container}
	namespace := t.Proc("ns/net")
	if !k.Dry {
		f, err := os.Open(namespace)
		if err != nil {
			return nil, at(err, "open %s", namespace)
		}
		defer f.Close()
		veth.PeerNamespace = netlink.NsFd(f.Fd())
	}
	err := k.Netlink("RTM_NEWLINK", "ifname="+sys.Quote(o.Host)+", kind=veth, peer={ifname="+sys.Quote(o.Container)+
		", netns=<"+namespace+">}", func() error { return netlink.LinkAdd(veth) })
	return veth, at(err, "create veth pair %s, %s", o.Host, o.Container)
}

// Undo deletes the pair; deleting one end deletes the other. If the container's
// namespace is gone already, so is the pair.
func (o Veth) Undo(k *sys.Kernel) error { return deleteLink(k, o.Host, "veth") }

// Shell implements Op.
func (o Veth) Shell() string {
	host := quote(o.Host)
	return "ip link add " + host + " type veth peer name " + quote(o.Container) + " netns $PID && ip link set " + host +
		" master " + quote(o.Bridge) + " up && bridge link set dev " + host + " hairpin on"
}
