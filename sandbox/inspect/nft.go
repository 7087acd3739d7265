package inspect

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/nftables"
	mdnetlink "github.com/mdlayher/netlink"
)

// nftDeadline bounds all questions to one namespace's nf_tables: a kernel
// without it may leave a request unanswered.
const nftDeadline = time.Second

var nftFamilies = map[nftables.TableFamily]string{
	nftables.TableFamilyINet:   "inet",
	nftables.TableFamilyIPv4:   "ip",
	nftables.TableFamilyIPv6:   "ip6",
	nftables.TableFamilyARP:    "arp",
	nftables.TableFamilyNetdev: "netdev",
	nftables.TableFamilyBridge: "bridge",
}

// nftables adds the tables of the network namespace the calling thread is in,
// which is p's, one object each: in full where the lab made them or may have,
// which is in any namespace but the reader's own, else by their counts. A
// kernel without nf_tables has no tables; that is not a gap.
func (s *survey) nftables(p place) {
	ns := p.ns[Net]
	deadline := nftables.WithSockOptions(func(c *mdnetlink.Conn) error {
		return c.SetDeadline(time.Now().Add(nftDeadline))
	})
	c, err := nftables.New(nftables.AsLasting(), deadline)
	if nftAbsent(err) {
		return
	}
	if err != nil {
		s.gap("open nf_tables socket in "+ns, err)
		return
	}
	defer func() { _ = c.CloseLasting() }() // only read from: nothing can be lost
	tables, err := c.ListTables()
	if nftAbsent(err) || len(tables) == 0 && err == nil {
		return
	}
	s.gap("list nf_tables tables of "+ns, err)
	chains, err := c.ListChains()
	s.gap("list nf_tables chains of "+ns, err)
	for _, t := range tables {
		full := ns != s.self.ns[Net] || strings.HasPrefix(t.Name, "cutaway")
		s.add(Object{
			Kind:   Nft,
			ID:     nftFamilies[t.Family] + " " + t.Name + "@" + ns,
			Where:  "NFT_MSG_GETRULE in " + s.nets[ns],
			Detail: s.nftTable(c, t, chains, full),
		})
	}
}

func nftAbsent(err error) bool {
	for _, absent := range []error{
		syscall.EPROTONOSUPPORT, syscall.EOPNOTSUPP, syscall.EINVAL, os.ErrDeadlineExceeded,
	} {
		if errors.Is(err, absent) {
			return true
		}
	}
	return false
}

// nftTable describes one table: its chains, and its rules by handle, which is
// the number `nft delete rule` takes and no other rule of the table ever gets.
func (s *survey) nftTable(c *nftables.Conn, t *nftables.Table, all []*nftables.Chain, full bool) Detail {
	var d Detail
	chains, rules := 0, 0
	for _, chain := range all {
		if chain.Table.Name != t.Name || chain.Table.Family != t.Family {
			continue
		}
		chains++
		list, err := c.GetRules(t, chain)
		s.gap(fmt.Sprintf("list rules of nf_tables chain %s %s", t.Name, chain.Name), err)
		rules += len(list)
		if !full {
			continue
		}
		d = append(d, Field{Key: "chain " + chain.Name, Value: chainText(t.Family, chain)})
		for _, r := range list {
			d = d.with(fmt.Sprintf("%s handle %d", chain.Name, r.Handle), ruleText(r.Exprs))
		}
	}
	return append(Detail{}.
		with("chains", strconv.Itoa(chains)).
		with("rules", strconv.Itoa(rules)), d...)
}

// chainText tells where a base chain is attached; a chain that others jump to
// is attached nowhere.
func chainText(family nftables.TableFamily, c *nftables.Chain) string {
	if c.Hooknum == nil || c.Priority == nil {
		return "no hook"
	}
	text := fmt.Sprintf("type %s hook %s priority %d", c.Type, hookName(family, *c.Hooknum), *c.Priority)
	if c.Policy != nil {
		text += " policy " + map[bool]string{true: "accept", false: "drop"}[*c.Policy == nftables.ChainPolicyAccept]
	}
	return text
}

// hookName names a hook by its number (enum nf_inet_hooks, which ARP and
// netdev tables number differently: include/uapi/linux/netfilter*.h).
func hookName(family nftables.TableFamily, hook nftables.ChainHook) string {
	names := []string{"prerouting", "input", "forward", "output", "postrouting", "ingress"}
	switch family {
	case nftables.TableFamilyNetdev:
		names = []string{"ingress", "egress"}
	case nftables.TableFamilyARP:
		names = []string{"input", "output", "forward"}
	}
	if int(hook) < len(names) {
		return names[hook]
	}
	return strconv.Itoa(int(hook))
}
