package op

import "cutaway/sandbox/sys"

// LoopbackUp switches on lo, which a new network namespace has but leaves
// down: network_namespaces(7). With that the kernel itself gives it 127.0.0.1
// and ::1. It is init's own work, hence the ioctl and no netlink library.
type LoopbackUp struct{}

// Name implements Op.
func (LoopbackUp) Name() string { return "loopback" }

// Do implements Op.
func (LoopbackUp) Do(k *sys.Kernel, _ *Target) error {
	return at(k.LinkUp("lo"), "bring up lo")
}

// Shell implements Op.
func (LoopbackUp) Shell() string { return "ip link set lo up" }
