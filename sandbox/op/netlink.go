//go:build !init

package op

import (
	"errors"

	"github.com/vishvananda/netlink"

	"cutaway/sandbox/sys"
)

// Each function below sends one rtnetlink(7) message that changes something;
// requests that only look (RTM_GETLINK) are not recorded.

// findLink looks up a link by name: ENODEV if there is none. In dry mode
// there is nothing to find, and the result is only good for not being used.
func findLink(k *sys.Kernel, name string) (netlink.Link, error) {
	if k.Dry {
		return &netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Name: name}}, nil
	}
	link, err := netlink.LinkByName(name)
	if isNoLink(err) {
		err = sys.ENODEV
	}
	return link, at(err, "find link %s", name)
}

// isNoLink tells the library's word for ENODEV from other errors.
func isNoLink(err error) bool {
	var none netlink.LinkNotFoundError
	return errors.As(err, &none)
}

// linkExists reports whether the thread's network namespace has the link.
func linkExists(name string) bool {
	_, err := netlink.LinkByName(name)
	return err == nil
}

// linkUp sets IFF_UP.
func linkUp(k *sys.Kernel, link netlink.Link, name string) error {
	err := k.Netlink("RTM_NEWLINK", "ifname="+sys.Quote(name)+", flags=IFF_UP",
		func() error { return netlink.LinkSetUp(link) })
	return at(err, "bring up %s", name)
}

// addAddress gives a link an address; one that is there already is no error.
// With it the kernel adds the route to the addresses of the same prefix.
func addAddress(k *sys.Kernel, link netlink.Link, name string, address *netlink.Addr) error {
	err := k.Netlink("RTM_NEWADDR", "dev="+sys.Quote(name)+", local="+address.IPNet.String(),
		func() error { return netlink.AddrAdd(link, address) })
	if errors.Is(err, sys.EEXIST) {
		return nil
	}
	return at(err, "give %s the address %s", name, address.IPNet)
}

// deleteLink deletes a link if it exists and is of the given kind. It may go by
// itself meanwhile, with a network namespace.
func deleteLink(k *sys.Kernel, name, kind string) error {
	link, err := findLink(k, name)
	if errors.Is(err, sys.ENODEV) || err == nil && !k.Dry && link.Type() != kind {
		return nil
	}
	if err != nil {
		return err
	}
	err = k.Netlink("RTM_DELLINK", "ifname="+sys.Quote(name), func() error { return netlink.LinkDel(link) })
	if errors.Is(err, sys.ENODEV) {
		return nil
	}
	return at(err, "delete %s", name)
}
