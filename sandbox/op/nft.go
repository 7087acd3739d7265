package op

import (
	"errors"
	"net/netip"
	"os"
	"strings"

	"github.com/google/nftables"

	"cutaway/sandbox/sys"
)

// Port is a port of the host that leads to one of the container's.
type Port struct {
	HostIP        string `json:"hostIP,omitempty"` // "" for every address of the host
	HostPort      int    `json:"hostPort"`         // 0 is replaced by a free one before the Plan is made
	ContainerPort int    `json:"containerPort"`
	Protocol      string `json:"protocol"` // tcp or udp
}

// Nft makes a table of the host's nf_tables that translates the addresses of
// one container's traffic: nft(8), NAT STATEMENTS. The container reaches the
// world under the host's address, and the world reaches its published ports.
type Nft struct {
	Table   string `json:"table"`
	Bridge  string `json:"bridge"`
	Subnet  string `json:"subnet"`  // of the bridge: 10.90.0.0/24
	Address string `json:"address"` // the container's: 10.90.0.2
	Ports   []Port `json:"ports,omitempty"`
}

// Name implements Op.
func (Nft) Name() string { return "nft" }

// Do implements Op. The messages travel as one batch, which the kernel takes
// whole or not at all.
func (o Nft) Do(k *sys.Kernel, _ *Target) error {
	conn, err := nftConn()
	if err != nil {
		return at(err, "make table %s", o.Table)
	}
	chains, err := o.chains()
	if err != nil {
		return at(err, "make table %s", o.Table)
	}
	table := conn.AddTable(&nftables.Table{Name: o.Table, Family: nftables.TableFamilyIPv4})
	messages := []string{"NFT_MSG_NEWTABLE, table ip " + o.Table}
	for _, c := range chains {
		chain := conn.AddChain(c.in(table))
		messages = append(messages, "NFT_MSG_NEWCHAIN, "+c.name+" "+c.spec())
		for _, r := range c.rules {
			conn.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: r.exprs()})
			messages = append(messages, "NFT_MSG_NEWRULE, "+c.name+" "+r.String())
		}
	}
	return at(nftSend(k, conn, messages), "make table %s", o.Table)
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
	leaving := nftChain{"postrouting", nftables.ChainHookPostrouting, nftables.ChainPriorityNATSource, []nftRule{
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
		{"prerouting", nftables.ChainHookPrerouting, nftables.ChainPriorityNATDest, dnat}, // what arrives
		{"output", nftables.ChainHookOutput, nftables.ChainPriorityNATDest, dnat},         // what the host sends itself
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
func (o Nft) Undo(k *sys.Kernel) error {
	conn, err := nftConn()
	if err != nil {
		return at(err, "delete table %s", o.Table)
	}
	conn.DelTable(&nftables.Table{Name: o.Table, Family: nftables.TableFamilyIPv4})
	err = nftSend(k, conn, []string{"NFT_MSG_DELTABLE, table ip " + o.Table})
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return at(err, "delete table %s", o.Table)
}

// Shell implements Op.
func (o Nft) Shell() string {
	chains, err := o.chains()
	if err != nil {
		return ""
	}
	lines := []string{"add table ip " + o.Table}
	for _, c := range chains {
		name := "ip " + o.Table + " " + c.name + " "
		lines = append(lines, "add chain "+name+c.spec())
		for _, r := range c.rules {
			lines = append(lines, "add rule "+name+r.String())
		}
	}
	return "nft " + quote(strings.Join(lines, "\n"))
}
