package sandbox

import (
	"net/netip"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNetworkThatIsFree(t *testing.T) {
	at := func(cidr string) map[netip.Prefix]string {
		return map[netip.Prefix]string{netip.MustParsePrefix(cidr): "eth7"}
	}
	for taken, want := range map[string]string{
		"198.51.100.0/24": "10.90.0.1/24",
		"10.90.0.0/24":    "10.219.0.1/24",
		"10.90.0.77/32":   "10.219.0.1/24",
		"10.0.0.0/8":      "172.29.90.1/24",
	} {
		got, err := firstFree(networks, at(taken))
		require.NoError(t, err, taken)
		require.Equal(t, want, got.String(), taken)
	}
	_, err := firstFree(networks, at("0.0.0.0/0"))
	var none *NetworkError
	require.ErrorAs(t, err, &none)
	require.ErrorContains(t, err, "all are taken: 10.90.0.0/24 by 0.0.0.0/0 on eth7, ")
	require.Contains(t, none.Hint(), "--net none")
}

func TestParseRoutes(t *testing.T) {
	require.Equal(t, map[netip.Prefix]string{
		netip.MustParsePrefix("10.90.0.0/24"):  "br0",
		netip.MustParsePrefix("192.0.2.77/32"): "wg0",
	}, parseRoutes(`Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	0100000A	0003	0	0	0	00000000	0	0	0
br0	00005A0A	00000000	0001	0	0	0	00FFFFFF	0	0	0
wg0	4D0200C0	00000000	0005	0	0	0	FFFFFFFF	0	0	0
`))
}

// inOwnNet tells this test binary that it is in a network namespace of its own.
const inOwnNet = "CUTAWAY_TEST_OWN_NET"

// TestClash is run once more in a network namespace where the host is in the
// first of the lab's networks: a container gets an address of the second, and
// its neighbour one of the same.
func TestClash(t *testing.T) {
	if os.Getenv(inOwnNet) == "" {
		self, err := os.Executable()
		require.NoError(t, err)
		cmd := exec.CommandContext(t.Context(), "unshare", "--net", self, "-test.run=^TestClash$", "-test.v")
		cmd.Env = append(os.Environ(), inOwnNet+"=1")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return
	}
	for _, words := range [][]string{{"ip", "link", "add", "office", "type", "bridge"}, {"ip", "address", "add", "10.90.0.40/16", "dev", "office"},
		{"ip", "link", "set", "office", "up"}} {
		out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	b := newLab(t)
	first, err := b.Start(t.Context(), b.spec("sleep", "1000"), null(t))
	require.NoError(t, err)
	require.Equal(t, "10.219.0.2/24", first.Spec.Net.Address)
	require.Equal(t, "10.219.0.1/24", first.Spec.Net.Gateway)
	second, err := b.Start(t.Context(), b.spec("sleep", "1000"), null(t))
	require.NoError(t, err)
	require.Equal(t, "10.219.0.3/24", second.Spec.Net.Address)
	require.NoError(t, first.Remove())
	require.NoError(t, second.Remove())
}
