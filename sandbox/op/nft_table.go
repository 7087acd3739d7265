//go:build !init

package op

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/google/nftables"

	"cutaway/sandbox/sys"
)

// nftTable is a table of IPv4 rules with all it holds.
type nftTable struct {
	name   string
	chains []nftChain
}

// nftChain is a base chain: its rules are asked where it hooks in.
type nftChain struct {
	name     string
	kind     nftables.ChainType // nat or filter
	hook     string
	priority nftables.ChainPriority // of several at one hook the lowest is first
	rules    []nftRule
}

var nftHooks = map[string]*nftables.ChainHook{
	"prerouting": nftables.ChainHookPrerouting, "input": nftables.ChainHookInput, "forward": nftables.ChainHookForward,
	"output": nftables.ChainHookOutput, "postrouting": nftables.ChainHookPostrouting,
}

// spec gives where the chain hooks in, in nft syntax.
func (c nftChain) spec() string {
	return fmt.Sprintf("{ type %s hook %s priority %d; }", c.kind, c.hook, c.priority)
}

func (c nftChain) in(t *nftables.Table) *nftables.Chain {
	return &nftables.Chain{Name: c.name, Table: t, Type: c.kind, Hooknum: nftHooks[c.hook], Priority: &c.priority}
}

// make makes the table. The messages travel as one batch, which the kernel takes
// whole or not at all.
func (t nftTable) make(k *sys.Kernel) error {
	conn, err := nftConn()
	if err != nil {
		return at(err, "make table %s", t.name)
	}
	table := conn.AddTable(&nftables.Table{Name: t.name, Family: nftables.TableFamilyIPv4})
	messages := []string{"NFT_MSG_NEWTABLE, table ip " + t.name}
	for _, c := range t.chains {
		chain := conn.AddChain(c.in(table))
		messages = append(messages, "NFT_MSG_NEWCHAIN, "+c.name+" "+c.spec())
		for _, r := range c.rules {
			conn.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: r.exprs()})
			messages = append(messages, "NFT_MSG_NEWRULE, "+c.name+" "+r.String())
		}
	}
	return at(nftSend(k, conn, messages), "make table %s", t.name)
}

// delete deletes the table; one that is gone already is no error.
func (t nftTable) delete(k *sys.Kernel) error {
	conn, err := nftConn()
	if err != nil {
		return at(err, "delete table %s", t.name)
	}
	conn.DelTable(&nftables.Table{Name: t.name, Family: nftables.TableFamilyIPv4})
	err = nftSend(k, conn, []string{"NFT_MSG_DELTABLE, table ip " + t.name})
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return at(err, "delete table %s", t.name)
}

// shell gives the command that makes the table.
func (t nftTable) shell() string {
	lines := []string{"add table ip " + t.name}
	for _, c := range t.chains {
		name := "ip " + t.name + " " + c.name + " "
		lines = append(lines, "add chain "+name+c.spec())
		for _, r := range c.rules {
			lines = append(lines, "add rule "+name+r.String())
		}
	}
	return "nft " + quote(strings.Join(lines, "\n"))
}
