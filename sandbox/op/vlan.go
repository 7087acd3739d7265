//go:build !init

package op

import (
	"os"

	"github.com/vishvananda/netlink"

	"cutaway/sandbox/sys"
)

// Vlan makes a link in init's network namespace that shares the wire of a link
// of the host's: RTM_NEWLINK of kind macvlan, with an Ethernet address of its
// own, or ipvlan, with the parent's. It ends with that namespace.
type Vlan struct {
	Kind      string `json:"kind"`   // macvlan or ipvlan
	Parent    string `json:"parent"` // a link of the host's
	Container string `json:"container"`
}

// Name implements Op.
func (o Vlan) Name() string { return o.Kind }

// Do implements Op.
func (o Vlan) Do(k *sys.Kernel, t *Target) error {
	parent, err := findLink(k, o.Parent)
	if err != nil {
		return err
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = o.Container
	namespace := t.Proc("ns/net")
	if !k.Dry {
		attrs.ParentIndex = parent.Attrs().Index
		f, err := os.Open(namespace)
		if err != nil {
			return at(err, "open %s", namespace)
		}
		defer f.Close()
		attrs.Namespace = netlink.NsFd(f.Fd())
	}
	var link netlink.Link = &netlink.Macvlan{LinkAttrs: attrs, Mode: netlink.MACVLAN_MODE_BRIDGE}
	if o.Kind == "ipvlan" {
		link = &netlink.IPVlan{LinkAttrs: attrs, Mode: netlink.IPVLAN_MODE_L2}
	}
	err = k.Netlink("RTM_NEWLINK", "ifname="+sys.Quote(o.Container)+", kind="+o.Kind+", link="+sys.Quote(o.Parent)+", netns=<"+namespace+">",
		func() error { return netlink.LinkAdd(link) })
	return at(err, "create %s %s on %s", o.Kind, o.Container, o.Parent)
}

// Shell implements Op.
func (o Vlan) Shell() string {
	mode := map[string]string{"macvlan": "bridge", "ipvlan": "l2"}[o.Kind]
	return "ip link add link " + quote(o.Parent) + " name " + quote(o.Container) + " netns $PID type " + o.Kind + " mode " + mode
}
