package inspect

import (
	"fmt"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	mdnetlink "github.com/mdlayher/netlink"
)

// nftConnection opens nf_tables of the reader's network namespace.
func nftConnection() (*nftables.Conn, error) {
	c, err := nftables.New(nftables.WithSockOptions(func(c *mdnetlink.Conn) error {
		return c.SetDeadline(time.Now().Add(nftDeadline))
	}))
	if err != nil {
		return nil, fmt.Errorf("open nf_tables: %w", err)
	}
	return c, nil
}

// ForwardDrops lists the chains that drop what the host forwards unless a rule
// allows it, by their policy: "chain FORWARD of table ip filter". Docker sets that
// one. A chain's accept counts for that chain only, so nothing in another table
// can let such a packet pass: nft(8), VERDICT STATEMENTS. Chains of the older
// iptables (xtables) are not seen.
func ForwardDrops() ([]string, error) {
	c, err := nftConnection()
	if err != nil {
		return nil, err
	}
	chains, err := c.ListChains()
	if nftAbsent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list nf_tables chains: %w", err)
	}
	var drops []string
	for _, chain := range chains {
		ours := chain.Table.Family == nftables.TableFamilyIPv4 || chain.Table.Family == nftables.TableFamilyINet
		if ours && chain.Hooknum != nil && *chain.Hooknum == *nftables.ChainHookForward &&
			chain.Policy != nil && *chain.Policy == nftables.ChainPolicyDrop {
			drops = append(drops, fmt.Sprintf("chain %s of table %s %s", chain.Name, nftFamilies[chain.Table.Family], chain.Table.Name))
		}
	}
	return drops, nil
}

// NftCounters reads how many packets each chain of an IPv4 table has counted, by
// the counters of its rules. It is empty if there is no such table.
func NftCounters(table string) (map[string]int, error) {
	c, err := nftConnection()
	if err != nil {
		return nil, err
	}
	chains, err := c.ListChainsOfTableFamily(nftables.TableFamilyIPv4)
	if nftAbsent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list nf_tables chains: %w", err)
	}
	packets := map[string]int{}
	for _, chain := range chains {
		if chain.Table.Name != table {
			continue
		}
		rules, err := c.GetRules(chain.Table, chain)
		if err != nil {
			return nil, fmt.Errorf("list rules of nf_tables chain %s %s: %w", table, chain.Name, err)
		}
		packets[chain.Name] = 0
		for _, r := range rules {
			for _, e := range r.Exprs {
				if counter, ok := e.(*expr.Counter); ok {
					packets[chain.Name] += int(counter.Packets)
				}
			}
		}
	}
	return packets, nil
}
