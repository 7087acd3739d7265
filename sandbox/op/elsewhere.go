//go:build init

package op

import (
	"errors"

	"cutaway/sandbox/sys"
)

// This file stands in, in init's program, for those that speak netlink and read
// the journal. Their libraries would cost every container a tenth of what Go
// takes to start, for steps that the host does. Init knows of those only that they
// are there: without them it would count the steps of its Plan in another way.

// elsewhere is an operation of the host, as init sees it.
type elsewhere struct{}

// Name implements Op.
func (elsewhere) Name() string { return "elsewhere" }

// Do implements Op.
func (elsewhere) Do(*sys.Kernel, *Target) error { return errors.New("only the host can do this step") }

// Shell implements Op.
func (elsewhere) Shell() string { return "" }

// The fields are those that package plan fills in.
type (
	// Sysctl is in sysctl.go.
	Sysctl struct {
		elsewhere
		Key, Value, Saved, Unless string
	}
	// Bridge is in bridge.go.
	Bridge struct {
		elsewhere
		Link, Address string
	}
	// Nft is in nft.go.
	Nft struct {
		elsewhere
		Table, Bridge, Subnet, Address string
		Ports                          []Port
	}
	// Veth is in veth.go.
	Veth struct {
		elsewhere
		Host, Container, Bridge string
	}
	// Address is in address.go.
	Address struct {
		elsewhere
		Link, CIDR string
	}
	// Route is in address.go.
	Route struct {
		elsewhere
		Gateway string
	}
)
