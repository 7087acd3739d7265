//go:build !init

package op

import (
	"net/netip"

	"github.com/google/nftables"

	"cutaway/sandbox/sys"
)

// NftCount makes a table that counts packets where they come by, and lets all of
// them pass: nft(8), COUNTER STATEMENT. Each point is a chain with one rule.
type NftCount struct {
	Table  string     `json:"table"`
	Points []NftPoint `json:"points"`
}

// NftPoint is where packets from one address to another are counted.
type NftPoint struct {
	Name     string `json:"name"` // of its chain
	Hook     string `json:"hook"` // prerouting, forward, postrouting
	Priority int    `json:"priority"`
	From     string `json:"from"`
	To       string `json:"to"`
}

// Name implements Op.
func (NftCount) Name() string { return "nft_count" }

// Do implements Op.
func (o NftCount) Do(k *sys.Kernel, _ *Target) error {
	table, err := o.table()
	if err != nil {
		return at(err, "make table %s", o.Table)
	}
	return table.make(k)
}

// Undo deletes the table with all it holds.
func (o NftCount) Undo(k *sys.Kernel) error { return nftTable{name: o.Table}.delete(k) }

// Shell implements Op.
func (o NftCount) Shell() string {
	table, err := o.table()
	if err != nil {
		return ""
	}
	return table.shell()
}

func (o NftCount) table() (nftTable, error) {
	t := nftTable{name: o.Table}
	for _, p := range o.Points {
		from, err := netip.ParseAddr(p.From)
		if err != nil {
			return t, err
		}
		to, err := netip.ParseAddr(p.To)
		if err != nil {
			return t, err
		}
		rule := nftRule{nftSource(netip.PrefixFrom(from, from.BitLen())), nftDestination(netip.PrefixFrom(to, to.BitLen())), nftCounter()}
		t.chains = append(t.chains, nftChain{p.Name, nftables.ChainTypeFilter, p.Hook, nftables.ChainPriority(p.Priority), []nftRule{rule}})
	}
	return t, nil
}
