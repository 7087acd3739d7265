package op

import (
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cutaway/sandbox/sys"
)

// inNewNet runs the calling test once more in a network namespace of its own
// and reports whether this is that run.
func inNewNet(t *testing.T) bool {
	t.Helper()
	if os.Getenv("CUTAWAY_TEST_NET") == t.Name() {
		return true
	}
	if os.Geteuid() != 0 {
		t.Fatal("needs root: network namespaces")
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.timeout=60s", "-test.v")
	cmd.Env = append(os.Environ(), "CUTAWAY_TEST_NET="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return false
}

// container starts a process in a network namespace of its own, to serve as
// init.
func container(t *testing.T) *Target {
	t.Helper()
	cmd := exec.Command("sleep", "60")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return &Target{PID: cmd.Process.Pid}
}

// run gives what a command prints.
func run(t *testing.T, words ...string) string {
	t.Helper()
	path, err := exec.LookPath(words[0])
	if err != nil {
		t.Fatalf("the test needs the program %s", words[0])
	}
	out, err := exec.Command(path, words[1:]...).CombinedOutput()
	require.NoError(t, err, "%s: %s", words, out)
	return string(out)
}

type link struct {
	Ifname   string
	Master   string
	Flags    []string
	Address  string
	Linkinfo struct {
		InfoKind string `json:"info_kind"`
	}
	AddrInfo []address `json:"addr_info"`
}

type address struct {
	Family, Local string
	Prefixlen     int
}

// links lists the links as ip(8) sees them, in the namespace entered by prefix.
func links(t *testing.T, prefix ...string) map[string]link {
	t.Helper()
	var list []link
	text := run(t, append(prefix, "ip", "-j", "-d", "address")...)
	require.NoError(t, json.Unmarshal([]byte(text), &list), text)
	byName := map[string]link{}
	for _, l := range list {
		l.AddrInfo = slices.DeleteFunc(l.AddrInfo, func(a address) bool { return a.Family != "inet" })
		byName[l.Ifname] = l
	}
	return byName
}

func enter(t *Target) []string { return []string{"nsenter", "--net=" + t.Proc("ns/net")} }

// do runs the operations and checks that each records the same calls in dry
// mode, which must not do anything.
func do(t *testing.T, target *Target, ops ...Op) {
	t.Helper()
	for _, o := range ops {
		dry := &sys.Kernel{Dry: true}
		require.NoError(t, Run(o, dry, target), o.Name())
		k := &sys.Kernel{}
		require.NoError(t, Run(o, k, target), o.Name())
		calls := k.Calls()
		require.NotEmpty(t, calls)
		require.Equal(t, words(dry.Calls()), words(calls))
	}
}

// words are the calls without their results.
func words(calls []sys.Call) []string {
	var all []string
	for _, c := range calls {
		all = append(all, c.String())
	}
	return all
}

// serve answers every connection to address, in the network namespace of
// target, with the address it came from.
func serve(t *testing.T, target *Target, address string) {
	t.Helper()
	var l net.Listener
	err := new(sys.Kernel).Within(target.Proc("ns/net"), sys.NewNet, func() (err error) {
		l, err = net.Listen("tcp4", address)
		return err
	})
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
			c.Write([]byte(host))
			c.Close()
		}
	}()
}

// ask connects to address from the network namespace of target, or nil for the
// host's, and gives the answer.
func ask(t *testing.T, target *Target, address string) string {
	t.Helper()
	if target == nil {
		target = &Target{PID: os.Getpid()}
	}
	var answer []byte
	err := new(sys.Kernel).Within(target.Proc("ns/net"), sys.NewNet, func() error {
		c, err := net.DialTimeout("tcp4", address, 2*time.Second)
		if err != nil {
			return err
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(2 * time.Second))
		answer, err = io.ReadAll(c)
		return err
	})
	require.NoError(t, err)
	return string(answer)
}

func undo(t *testing.T, ops ...Undoer) {
	t.Helper()
	for _, o := range ops {
		require.NoError(t, Takeback(o, &sys.Kernel{}), o.Name())
	}
}

func TestTwoLabsShareABridge(t *testing.T) {
	if !inNewNet(t) {
		return
	}
	bridge := Bridge{Link: "cutaway0", Address: "10.90.0.1/24"}
	a, b := container(t), container(t)
	vethA := Veth{Host: "cutaway-a", Container: "eth0", Bridge: "cutaway0"}
	vethB := Veth{Host: "cutaway-b", Container: "eth0", Bridge: "cutaway0"}
	before := links(t)

	// the first lab makes the bridge, the second finds it
	do(t, a, LoopbackUp{}, bridge, vethA, Address{Link: "eth0", CIDR: "10.90.0.2/24"}, Route{Gateway: "10.90.0.1"})
	alone := links(t)["cutaway0"]
	do(t, b, bridge, vethB, Address{Link: "eth0", CIDR: "10.90.0.3/24"}, Route{Gateway: "10.90.0.1"})

	host := links(t)
	require.Contains(t, host["lo"].Flags, "UP")
	require.Equal(t, "bridge", host["cutaway0"].Linkinfo.InfoKind)
	require.Equal(t, alone.Address, host["cutaway0"].Address, "the bridge's own address must not follow its ports")
	require.Equal(t, "10.90.0.1", host["cutaway0"].AddrInfo[0].Local)
	require.Len(t, host["cutaway0"].AddrInfo, 1)
	for _, port := range []string{"cutaway-a", "cutaway-b"} {
		require.Equal(t, "cutaway0", host[port].Master)
		require.Contains(t, host[port].Flags, "UP")
		require.Contains(t, run(t, "bridge", "-d", "link", "show", "dev", port), "hairpin on")
	}
	require.NotContains(t, host, "eth0")
	eth0 := links(t, enter(b)...)["eth0"]
	require.Equal(t, "10.90.0.3", eth0.AddrInfo[0].Local)
	require.Contains(t, eth0.Flags, "UP")
	require.Contains(t, run(t, append(enter(b), "ip", "route")...), "default via 10.90.0.1 dev eth0")
	serve(t, b, "10.90.0.3:80")
	require.Equal(t, "10.90.0.2", ask(t, a, "10.90.0.3:80"))

	// the last one out takes the bridge along; undoing twice changes nothing
	undo(t, bridge)
	require.Contains(t, links(t), "cutaway0", "a bridge with ports is another lab's")
	undo(t, vethA, bridge, vethA, bridge)
	require.Contains(t, links(t), "cutaway0")
	require.NotContains(t, links(t), "cutaway-a")
	undo(t, vethB, bridge, vethB, bridge)
	after := links(t)
	delete(before, "lo")
	delete(after, "lo")
	require.Equal(t, before, after)
}

func TestUndoLeavesStrangersAlone(t *testing.T) {
	if !inNewNet(t) {
		return
	}
	run(t, "ip", "link", "add", "cutaway0", "type", "veth", "peer", "name", "other")
	run(t, "ip", "link", "add", "cutaway-a", "type", "bridge")
	bridge := Bridge{Link: "cutaway0", Address: "10.90.0.1/24"}
	err := Run(bridge, &sys.Kernel{}, &Target{})
	require.ErrorIs(t, err, sys.EEXIST)
	require.ErrorContains(t, err, "create bridge cutaway0, which is the name of a veth: EEXIST")
	undo(t, bridge, Veth{Host: "cutaway-a"})
	require.Contains(t, links(t), "cutaway0")
	require.Contains(t, links(t), "cutaway-a")
	require.Empty(t, links(t)["cutaway0"].AddrInfo)
}

func TestVethWithoutBridge(t *testing.T) {
	if !inNewNet(t) {
		return
	}
	o := Veth{Host: "cutaway-a", Container: "eth0", Bridge: "cutaway0"}
	err := Run(o, &sys.Kernel{}, container(t))
	require.ErrorIs(t, err, sys.ENODEV)
	require.ErrorContains(t, err, "find link cutaway0: ENODEV")
	undo(t, o)
	require.NotContains(t, links(t), "cutaway-a")
}

func TestDryModeChangesNothing(t *testing.T) {
	if !inNewNet(t) {
		return
	}
	saved := filepath.Join(t.TempDir(), "saved")
	before := run(t, "ip", "-d", "address") + run(t, "nft", "list", "ruleset")
	dry := &sys.Kernel{Dry: true}
	for _, o := range []Op{
		LoopbackUp{}, Sysctl{Key: "net.ipv4.ip_forward", Value: "1", Saved: saved},
		Bridge{Link: "cutaway0", Address: "10.90.0.1/24"}, Veth{Host: "cutaway-a", Container: "eth0", Bridge: "cutaway0"},
		Address{Link: "eth0", CIDR: "10.90.0.2/24"}, Route{Gateway: "10.90.0.1"}, nat,
	} {
		require.NoError(t, Run(o, dry, &Target{}))
		require.NotEmpty(t, dry.Calls(), o.Name())
		require.NotEmpty(t, o.Shell())
		if u, ok := o.(Undoer); ok {
			require.NoError(t, Takeback(u, dry))
		}
	}
	require.Equal(t, before, run(t, "ip", "-d", "address")+run(t, "nft", "list", "ruleset"))
	require.NoFileExists(t, saved)
}

func TestSysctl(t *testing.T) {
	if !inNewNet(t) {
		return
	}
	saved := filepath.Join(t.TempDir(), "saved")
	value := func() string {
		b, err := os.ReadFile("/proc/sys/net/ipv4/ip_forward")
		require.NoError(t, err)
		return strings.TrimSpace(string(b))
	}
	require.NoError(t, os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("0"), 0))
	o := Sysctl{Key: "net.ipv4.ip_forward", Value: "1", Saved: saved, Unless: "cutaway0"}

	// the first lab saves what the machine had, the second has nothing to do
	do(t, &Target{}, o)
	require.Equal(t, "1", value())
	second := &sys.Kernel{}
	require.NoError(t, Run(o, second, &Target{}))
	require.Empty(t, second.Calls())
	before, err := os.ReadFile(saved)
	require.NoError(t, err)
	require.Equal(t, "0\n", string(before))

	// while the link is there another lab needs it
	run(t, "ip", "link", "add", "cutaway0", "type", "bridge")
	undo(t, o)
	require.Equal(t, "1", value())
	run(t, "ip", "link", "delete", "cutaway0")
	undo(t, o, o)
	require.Equal(t, "0", value())
	left, err := os.ReadDir(filepath.Dir(saved))
	require.NoError(t, err)
	require.Empty(t, left)

	// a machine that forwards already keeps doing so
	require.NoError(t, os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0))
	require.NoError(t, Run(o, &sys.Kernel{}, &Target{}))
	undo(t, o)
	require.Equal(t, "1", value())
}

// the printed command lines do what the operations do
func TestShellOfLinks(t *testing.T) {
	if !inNewNet(t) {
		return
	}
	c := container(t)
	ops := []Op{LoopbackUp{}, Bridge{Link: "cutaway0", Address: "10.90.0.1/24"},
		Veth{Host: "cutaway-a", Container: "eth0", Bridge: "cutaway0"},
		Address{Link: "eth0", CIDR: "10.90.0.2/24"}, Route{Gateway: "10.90.0.1"},
		Sysctl{Key: "net.ipv4.ip_forward", Value: "1"}}
	for _, o := range ops {
		run(t, "sh", "-c", "PID="+strconv.Itoa(c.PID)+"; "+o.Shell())
	}
	require.Equal(t, "cutaway0", links(t)["cutaway-a"].Master)
	require.Equal(t, "10.90.0.2", links(t, enter(c)...)["eth0"].AddrInfo[0].Local)
	serve(t, c, "10.90.0.2:80")
	require.Equal(t, "10.90.0.1", ask(t, nil, "10.90.0.2:80"))
	undo(t, ops[2].(Undoer), ops[1].(Undoer))
	require.Len(t, links(t), 1, "only lo is left")
}

// A link that shares another's wire appears inside with an address of its own.
// Not every kernel has ipvlan; what it has not is refused, and nothing is left.
func TestVlan(t *testing.T) {
	if !inNewNet(t) {
		return
	}
	inside := container(t)
	do(t, inside, Bridge{Link: "wire", Address: "192.0.2.1/24", Own: true}, Vlan{Kind: "macvlan", Parent: "wire", Container: "eth0"},
		Address{Link: "eth0", CIDR: "192.0.2.9/24"})
	shown := run(t, "nsenter", "--net="+inside.Proc("ns/net"), "ip", "-d", "link", "show", "eth0")
	require.Contains(t, shown, "macvlan mode bridge")
	require.NotContains(t, run(t, "ip", "link"), "eth0")
	require.Contains(t, Vlan{Kind: "ipvlan", Parent: "wire", Container: "e"}.Shell(), "ip link add link wire name e netns $PID type ipvlan mode l2")
	require.ErrorContains(t, Run(Vlan{Kind: "macvlan", Parent: "nowhere", Container: "e"}, &sys.Kernel{}, inside), "nowhere")
}
