package overhead

import (
	"errors"
	"fmt"
	"net"
	"os"

	"cutaway/vm"

	"github.com/vishvananda/netlink"
)

// The addresses of host and guest on a tap device: from those set aside for
// measuring (RFC 2544, 198.18.0.0/15).
const (
	tapHost, tapGuest = "198.18.77.1/30", "198.18.77.2/30"
	tapName           = "tap-cutaway"
)

// guestLink is a guest's network: what QEMU is told, and what the guest does.
type guestLink struct {
	vm.Network
	commands string
}

// mayTap reports whether a tap device of the host's may be made.
func (b *bench) mayTap() bool { return b.root() && b.options.InHost }

// guestLinkName says how a guest is connected: by a tap device, or by QEMU's
// user-mode network.
func (b *bench) guestLinkName() string {
	if b.mayTap() {
		return "tap"
	}
	return "user"
}

// guestNetwork connects a guest: by a tap device where the run may change this
// machine's network, else by the one that QEMU plays. The device is gone when its
// descriptor is closed, so with us (Documentation/networking/tuntap.rst).
func (b *bench) guestNetwork() (guestLink, func(), error) {
	if !b.mayTap() {
		return guestLink{Network: vm.Network{User: true},
			commands: guestAddress("10.0.2.15/24", "10.0.2.2")}, func() {}, nil
	}
	tap := &netlink.Tuntap{LinkAttrs: netlink.LinkAttrs{Name: tapName}, Mode: netlink.TUNTAP_MODE_TAP, NonPersist: true, Queues: 1}
	if err := netlink.LinkAdd(tap); err != nil {
		return guestLink{}, nil, fmt.Errorf("make the tap device %s: %w", tapName, err)
	}
	file := tap.Fds[0]
	address, err := netlink.ParseAddr(tapHost)
	if err == nil {
		err = netlink.AddrAdd(tap, address)
	}
	if err == nil {
		err = netlink.LinkSetUp(tap)
	}
	if err != nil {
		return guestLink{}, nil, errors.Join(fmt.Errorf("set up the tap device %s: %w", tapName, err), file.Close())
	}
	host, _, err := net.ParseCIDR(tapHost)
	return guestLink{Network: vm.Network{Tap: file}, commands: guestAddress(tapGuest, host.String())},
		func() { closeQuietly(file) }, err
}

// guestAddress is what a guest's shell does to be reached.
func guestAddress(address, gateway string) string {
	return "ip address add " + address + " dev eth0; ip link set eth0 up; ip route add default via " + gateway
}

// closeQuietly closes what only has to be closed.
func closeQuietly(f *os.File) { _ = f.Close() }
