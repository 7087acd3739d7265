package op

import (
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cutaway/sandbox/sys"
)

// nat publishes one port on every address and one on a single one.
var nat = Nft{Table: "cutaway-x", Bridge: "cutaway0", Subnet: "10.90.0.1/24", Address: "10.90.0.2", Ports: []Port{
	{HostPort: 8080, ContainerPort: 80, Protocol: "tcp"},
	{HostIP: "127.0.0.1", HostPort: 5353, ContainerPort: 53, Protocol: "udp"},
}}

// nft(8) reads back from the kernel the very words that were recorded.
func TestNftRules(t *testing.T) {
	if !inNewNet(t) {
		return
	}
	do(t, &Target{}, nat)
	listed := run(t, "nft", "list", "table", "ip", "cutaway-x")
	chains, err := nat.chains()
	require.NoError(t, err)
	rules := 0
	for _, c := range chains {
		require.Contains(t, listed, "chain "+c.name+" {")
		for _, r := range c.rules {
			require.Contains(t, listed, "\t\t"+r.String()+"\n")
			rules++
		}
	}
	require.Equal(t, 7, rules)
	undo(t, nat, nat)
	require.Empty(t, run(t, "nft", "list", "ruleset"))

	// the command line given for it makes the same table
	run(t, "sh", "-c", nat.Shell())
	require.Equal(t, listed, run(t, "nft", "list", "table", "ip", "cutaway-x"))
	undo(t, nat)
}

// What passes is counted at every point, before and after its address changes.
func TestNftCount(t *testing.T) {
	if !inNewNet(t) {
		return
	}
	count := NftCount{Table: "cutaway-count", Points: []NftPoint{
		{Name: "asked", Hook: "output", Priority: -300, From: "127.0.0.1", To: "127.0.0.2"},
		{Name: "arrived", Hook: "input", Priority: 10, From: "127.0.0.1", To: "127.0.0.2"},
		{Name: "nobody", Hook: "forward", Priority: -10, From: "127.0.0.1", To: "127.0.0.2"},
	}}
	do(t, &Target{}, LoopbackUp{}, count)
	c, err := net.Dial("udp", "127.0.0.2:9")
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Write([]byte("x"))
	require.NoError(t, err)
	listed := func() string { return run(t, "nft", "list", "table", "ip", "cutaway-count") }
	require.Eventually(t, func() bool { return strings.Count(listed(), "counter packets 1 bytes 29") == 2 }, time.Second, time.Millisecond, listed())
	require.Contains(t, listed(), "counter packets 0 bytes 0", "nothing was forwarded")
	undo(t, count, count)
	run(t, "sh", "-c", count.Shell())
	require.Equal(t, 3, strings.Count(listed(), "counter packets 0 bytes 0"))
	undo(t, count)
}

func TestNftRefusesWhatItCannotSay(t *testing.T) {
	for _, o := range []Nft{
		{Table: "t", Subnet: "10.90.0.0/24", Address: "10.90.0.2", Ports: []Port{{HostPort: 1, ContainerPort: 1, Protocol: "icmp"}}},
		{Table: "t", Subnet: "10.90.0.0/24", Address: "ten"},
		{Table: "t", Subnet: "10.90.0.0", Address: "10.90.0.2"},
	} {
		k := &sys.Kernel{}
		require.ErrorContains(t, Run(o, k, &Target{}), "make table t: ")
		require.Empty(t, k.Calls())
	}
}

// A published port is reached from everywhere, with real packets.
func TestPublishedPort(t *testing.T) {
	if !inNewNet(t) {
		return
	}
	a, b, world := container(t), container(t), container(t)
	// A new network namespace copies this from the host's, where it may be on.
	require.NoError(t, os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("0"), 0o644))
	plug := func(target *Target, name, address string) {
		do(t, target, Veth{Host: name, Container: "eth0", Bridge: "cutaway0"},
			Address{Link: "eth0", CIDR: address}, Route{Gateway: "10.90.0.1"})
	}
	do(t, a, LoopbackUp{}, Bridge{Link: "cutaway0", Address: "10.90.0.1/24"},
		Sysctl{Key: "net.ipv4.ip_forward", Value: "1"}, Sysctl{Key: "net.ipv4.conf.cutaway0.route_localnet", Value: "1"}, nat)
	plug(a, "cutaway-a", "10.90.0.2/24")
	plug(b, "cutaway-b", "10.90.0.3/24")
	// a second network, of machines that know no route to the containers
	do(t, world, Bridge{Link: "uplink", Address: "192.0.2.1/24"},
		Veth{Host: "uplink-w", Container: "eth0", Bridge: "uplink"}, Address{Link: "eth0", CIDR: "192.0.2.2/24"})
	serve(t, a, "10.90.0.2:80")
	serve(t, world, "192.0.2.2:80")

	require.Equal(t, "192.0.2.1", ask(t, a, "192.0.2.2:80"), "outside, the container goes by the host's address")
	require.Equal(t, "192.0.2.2", ask(t, world, "192.0.2.1:8080"), "the container sees who asks")
	require.Equal(t, "10.90.0.1", ask(t, nil, "127.0.0.1:8080"))
	require.Equal(t, "10.90.0.1", ask(t, nil, "10.90.0.1:8080"))
	require.Equal(t, "10.90.0.1", ask(t, b, "10.90.0.1:8080"), "from a neighbour")
	require.Equal(t, "10.90.0.1", ask(t, a, "10.90.0.1:8080"), "from the container itself")
}
