package inspect

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNetworkAppears(t *testing.T) {
	s := startShell(t, syscall.CLONE_NEWNET)
	p := take(t, Scope{PIDs: []int{s.pid}}).Find(Process, strconv.Itoa(s.pid))
	ns := p.Detail.Get("net")
	host, err := os.Readlink("/proc/self/ns/net")
	require.NoError(t, err)

	d := s.during("ip link add inner type veth peer name outer && ip link set outer netns %d", os.Getpid())
	require.ElementsMatch(t, []string{"link inner@" + ns, "link outer@" + host}, ids(d.Created))
	for _, l := range d.Created {
		require.Equal(t, "veth", l.Detail.Get("type"))
		other := ns
		if strings.HasSuffix(l.ID, ns) {
			other = host
		}
		require.Contains(t, l.Detail.Get("peer"), "in "+other)
	}
	d = s.during("ip link set inner up && ip addr add 10.83.0.2/24 dev inner && ip route add default via 10.83.0.1")
	require.Equal(t, []string{"link inner@" + ns}, ids(d.Changed))
	require.Equal(t, Detail{{Key: "state", Value: "down"}}, d.Changed[0].Was)
	require.ElementsMatch(t, []string{
		"addr 10.83.0.2/24 inner@" + ns,
		"route 10.83.0.0/24 dev inner@" + ns, "route default dev inner@" + ns,
	}, ids(d.Created))
	require.Equal(t, "10.83.0.1", d.Created[2].Detail.Get("via")+d.Created[1].Detail.Get("via"))

	d = s.during("ip link add br0 type bridge && ip link set inner master br0")
	require.Contains(t, ids(d.Created), "link br0@"+ns)
	require.Contains(t, ids(d.Changed), "link inner@"+ns)

	s.do("echo 0 >/proc/sys/net/ipv4/ip_forward") // a new namespace starts with the initial one's value
	d = s.during("echo 1 >/proc/sys/net/ipv4/ip_forward")
	require.Equal(t, []string{"sysctl net.ipv4.ip_forward@" + ns}, ids(d.Changed))
	require.Equal(t, Detail{{Key: "value", Value: "0"}}, d.Changed[0].Was)

	d = s.during("ip link del inner")
	require.Contains(t, ids(d.Removed), "link inner@"+ns)
	require.Contains(t, ids(d.Removed), "link outer@"+host)
}

func TestNftTablesAppear(t *testing.T) {
	s := startShell(t, syscall.CLONE_NEWNET)
	ns := take(t, Scope{PIDs: []int{s.pid}}).Find(Process, strconv.Itoa(s.pid)).Detail.Get("net")
	script := filepath.Join(t.TempDir(), "rules.nft")
	require.NoError(t, os.WriteFile(script, []byte(`
		table ip cutaway {
			chain pre { type nat hook prerouting priority -100; tcp dport 8080 dnat to 10.83.0.2:80; }
			chain post { type nat hook postrouting priority 100; policy accept;
				ip saddr 10.83.0.0/24 oifname != "br0" masquerade;
				ct status dnat masquerade; }
			chain through { type filter hook forward priority 0; policy drop;
				ct state established,related counter accept;
				ip saddr 10.83.0.1 ip daddr 10.84.0.0/30 jump extra;
				fib daddr type local drop; }
			chain extra { meta mark 7 return; reject; }
		}`), 0o600))
	d := s.during("nft -f %s", script)
	require.Equal(t, []string{"nft ip cutaway@" + ns}, ids(d.Created))
	table := d.Created[0].Detail
	require.Equal(t, "4", table.Get("chains"))
	require.Equal(t, "8", table.Get("rules"))
	require.Equal(t, "type nat hook prerouting priority -100 policy accept", table.Get("chain pre"))
	require.Equal(t, "type filter hook forward priority 0 policy drop", table.Get("chain through"))
	require.Equal(t, "no hook", table.Get("chain extra"))
	var rules []string
	for _, f := range table {
		if chain, _, isRule := strings.Cut(f.Key, " handle "); isRule {
			rules = append(rules, chain+": "+f.Value)
		}
	}
	require.Equal(t, []string{
		`pre: l4proto tcp dport 8080 dnat to 10.83.0.2:80`,
		`post: ip saddr 10.83.0.0/24 oifname != "br0" masquerade`,
		`post: ct status dnat masquerade`,
		`through: ct state established,related counter accept`,
		`through: ip saddr 10.83.0.1 ip daddr 10.84.0.0/30 jump extra`,
		`through: fib daddr type local drop`,
		`extra: mark 7 return`,
		`extra: [reject]`,
	}, rules)
	d = s.during("nft add rule ip cutaway post accept")
	require.Equal(t, []string{"nft ip cutaway@" + ns}, ids(d.Changed))
	require.Equal(t, "8", d.Changed[0].Was.Get("rules"))
	d = s.during("nft delete table ip cutaway")
	require.Equal(t, []string{"nft ip cutaway@" + ns}, ids(d.Removed))
}

// What the host forwards is dropped by the chains whose policy says so, and a
// table's counters are read chain by chain.
func TestForwardDropsAndCounters(t *testing.T) {
	needRoot(t)
	nft := func(script string) {
		out, err := exec.Command("nft", script).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	before, err := ForwardDrops()
	require.NoError(t, err)
	nft(`table ip other-filter {
			chain FORWARD { type filter hook forward priority 5; policy drop; }
			chain INPUT { type filter hook input priority 5; policy accept; }
		}
		table ip cutaway-counted {
			chain out { type filter hook output priority 0; ip daddr 127.0.0.3 counter; ip daddr 127.0.0.3 counter; }
			chain none { type filter hook forward priority 6; counter; }
		}`)
	t.Cleanup(func() { nft("delete table ip other-filter; delete table ip cutaway-counted") })
	after, err := ForwardDrops()
	require.NoError(t, err)
	require.Equal(t, []string{"chain FORWARD of table ip other-filter"}, slices.DeleteFunc(after, func(c string) bool { return slices.Contains(before, c) }))
	// A new network namespace, which these tests are in, has lo switched off.
	require.NoError(t, exec.Command("ip", "link", "set", "lo", "up").Run())
	t.Cleanup(func() { require.NoError(t, exec.Command("ip", "link", "set", "lo", "down").Run()) })
	c, err := net.Dial("udp", "127.0.0.3:9")
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Write([]byte("x"))
	require.NoError(t, err)
	packets, err := NftCounters("cutaway-counted")
	require.NoError(t, err)
	require.Equal(t, map[string]int{"out": 2, "none": 0}, packets)
	packets, err = NftCounters("cutaway-nobody")
	require.NoError(t, err)
	require.Empty(t, packets)
}

// Other people's tables on the host are counted, not told rule by rule.
func TestForeignHostTableIsCounted(t *testing.T) {
	needRoot(t)
	nft := func(script string) {
		out, err := exec.Command("nft", script).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	nft("table ip other { chain c { accept; drop; }; }")
	t.Cleanup(func() { nft("delete table ip other") })
	host, err := os.Readlink("/proc/self/ns/net")
	require.NoError(t, err)
	o := take(t, Scope{Host: true}).Find(Nft, "ip other@"+host)
	require.NotNil(t, o)
	require.Equal(t, Detail{{Key: "chains", Value: "1"}, {Key: "rules", Value: "2"}}, o.Detail)
}
