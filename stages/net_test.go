package stages

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// prepared tells this test binary that it runs on a machine which another test
// has made for it, and under that one's lock.
const prepared = "CUTAWAY_TEST_PREPARED"

// ownSys shows the new network namespace's links in /sys and leaves the rest of
// it, with the control groups, as it is.
const ownSys = `mount -t sysfs sysfs /mnt
	for dir in class/net devices/virtual/net; do mount --bind /mnt/$dir /sys/$dir; done
	ip link set lo up
`

// onMachine plays one stage once more in network and mount namespaces of its own,
// which a script prepares, and gives what it showed.
func onMachine(t *testing.T, slug, prepare string) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	script := ownSys + prepare + "\nexec " + self + " -test.v '-test.run=^TestStages$/^" + slug + "$'"
	cmd := exec.CommandContext(t.Context(), "unshare", "--net", "--mount", "sh", "-ec", script)
	cmd.Env = append(os.Environ(), prepared+"=1", "CUTAWAY_SHOW=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return strings.Join(strings.Fields(string(out)), " ")
}

// TestNetOnAHostThatDrops plays the network stage where docker's policy is set:
// the stage finds out, says whose it is, and shows where packets end.
func TestNetOnAHostThatDrops(t *testing.T) {
	out := onMachine(t, network.Slug, `nft 'table ip filter { chain FORWARD { type filter hook forward priority 0; policy drop; }; }'`)
	require.Contains(t, out, "chain FORWARD of table ip filter")
	require.Contains(t, out, "they reach the forward hook, and that is the end of them")
	require.NotContains(t, out, "takes us for the host")
}

// TestNetWithoutRoot plays it where an ordinary user may open /dev/net/tun, as on
// most machines.
func TestNetWithoutRoot(t *testing.T) {
	for _, program := range []string{"slirp4netns", "pasta"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("the test needs the program %s: vm/packages.sh install test", program)
		}
	}
	const tun = `mount -t tmpfs tmpfs /dev/net
		mknod -m 666 /dev/net/tun c 10 200
	`
	out := onMachine(t, network.Slug, tun)
	require.Contains(t, out, "slirp4netns --configure", "pasta wants a host with a way out")
	require.Contains(t, out, "hello from the host to 127.0.0.1")

	out = onMachine(t, network.Slug, tun+`ip link add out type veth peer name far
		ip address add 203.0.113.2/24 dev out
		ip link set out up
		ip link set far up
		ip route add default via 203.0.113.1`)
	require.Contains(t, out, "pasta --foreground")
	require.Contains(t, out, "hello from the host to 127.0.0.1")
}
