//go:build !init

package op

import (
	"net/netip"

	"github.com/google/nftables"

	"cutaway/sandbox/sys"
)

// Nft makes a table of the host's nf_tables that translates the addresses of
// one container's traffic: nft(8), NAT STATEMENTS. The container reaches the
// world under the host's address, and the world reaches its published ports.
type Nft struct {
	Table   string `json:"table"`
	Bridge  string `json:"bridge"`
	Subnet  string `json:"subnet"`  // any address of the bridge's: 10.90.0.1/24
	Address string `json:"address"` // the container's: 10.90.0.2
	Ports   []Port `json:"ports,omitempty"`
}

// Name implements Op.
func (Nft) Name() string { return "nft" }

// Do implements Op.
func (o Nft) Do(k *sys.Kernel, _ *Target) error {
	chains, err := o.chains()
	if err != nil {
		return at(err, "make table %s", o.Table)
	}
	return nftTable{o.Table, chains}.make(k)
}

// chains lists what the table holds.
func (o Nft) chains() ([]nftChain, error) {
	subnet, err := netip.ParsePrefix(o.Subnet)
	if err != nil {
		return nil, err
	}
	address, err := netip.ParseAddr(o.Address)
	if err != nil {
		return nil, err
	}
	container := netip.PrefixFrom(address, address.BitLen())
	dnat := make([]nftRule, len(o.Ports))
	for i, p := range o.Ports {
		if dnat[i], err = p.rule(address); err != nil {
			return nil, err
		}
	}
	leaving := nftChain{"postrouting", nftables.ChainTypeNAT, "postrouting", *nftables.ChainPriorityNATSource, []nftRule{
		// to the world
		{nftSource(container), nftOutput("!=", o.Bridge), nftMasquerade()},
	}}
	if len(o.Ports) == 0 {
		return []nftChain{leaving}, nil
	}
	leaving.rules = append(leaving.rules,
		// from localhost: the container could not answer to 127.0.0.1
		nftRule{nftSource(loopback), nftDestination(container), nftOutput("==", o.Bridge), nftMasquerade()},
		// from a neighbour, or itself: the answer must come back this way
		nftRule{nftTranslated(), nftSource(subnet.Masked()), nftDestination(container), nftOutput("==", o.Bridge), nftMasquerade()})
	return []nftChain{
		{"prerouting", nftables.ChainTypeNAT, "prerouting", *nftables.ChainPriorityNATDest, dnat}, // what arrives
		{"output", nftables.ChainTypeNAT, "output", *nftables.ChainPriorityNATDest, dnat},         // what the host sends itself
		leaving,
	}, nil
}

var loopback = netip.PrefixFrom(netip.AddrFrom4([4]byte{127}), 8)

// rule sends what comes for the host's port to the container's.
func (p Port) rule(container netip.Addr) (nftRule, error) {
	where := nftLocal()
	if p.HostIP != "" {
		host, err := netip.ParseAddr(p.HostIP)
		if err != nil {
			return nil, err
		}
		where = nftDestination(netip.PrefixFrom(host, host.BitLen()))
	}
	port, err := nftPort(p.Protocol, p.HostPort)
	return nftRule{where, port, nftDNAT(container, p.ContainerPort)}, err
}

// Undo deletes the table with all it holds.
func (o Nft) Undo(k *sys.Kernel) error { return nftTable{name: o.Table}.delete(k) }

// Shell implements Op.
func (o Nft) Shell() string {
	chains, err := o.chains()
	if err != nil {
		return ""
	}
	return nftTable{o.Table, chains}.shell()
}
