package inspect

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"cutaway/sandbox/features"

	"github.com/stretchr/testify/require"
)

// cloneNewTime is not in package syscall; clone(2) has no room for it, unshare(2) does.
const cloneNewTime = 0x80

// A process in one new namespace: that namespace appears, with what a new one
// of its kind holds, and when the process ends everything is gone again.
func TestOneNamespaceAppears(t *testing.T) {
	always := []Kind{Process, Caps, Seccomp, Rlimits}
	for _, c := range []struct {
		kind    Kind
		attr    syscall.SysProcAttr
		besides []Kind
	}{
		{UTS, syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUTS}, nil},
		{PID, syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}, nil},
		{IPC, syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWIPC}, nil},
		{Net, syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}, []Kind{Link, Sysctl}},
		{Mnt, syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}, []Kind{Mount}},
		{CgroupNS, syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWCGROUP}, nil},
		{Time, syscall.SysProcAttr{Unshareflags: cloneNewTime}, nil},
		{User, syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: 100000, Size: 65536}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: 100000, Size: 65536}},
		}, []Kind{IDMap}},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			if c.kind == Time {
				f, err := features.Detect()
				require.NoError(t, err)
				if err := f.HaveTimeNSByExec(); err != nil {
					t.Skip(err) // there it is a namespace for children: see the next test but one
				}
			}
			before := take(t, Scope{Host: true})
			cmd := start(t, &c.attr, "sleep", "60")
			scope := Scope{Host: true, PIDs: []int{cmd.Process.Pid}}
			after := take(t, scope)
			d := Compare(before, after)

			require.Empty(t, d.Changed)
			require.Empty(t, d.Removed)
			require.ElementsMatch(t, append(append([]Kind{c.kind}, always...), c.besides...), d.Kinds())
			created := (&Snapshot{Objects: d.Created}).Of(c.kind)
			require.Len(t, created, 1)
			ns := created[0]
			require.Equal(t, "1", ns.Detail.Get("processes"))
			link, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", cmd.Process.Pid, nsFile[c.kind]))
			require.NoError(t, err)
			require.Equal(t, link, ns.ID)
			require.NotEqual(t, before.Of(c.kind)[0].ID, ns.ID)

			stop(cmd)
			gone := Compare(after, take(t, scope))
			require.ElementsMatch(t, ids(d.Created), ids(gone.Removed))
			require.True(t, Compare(before, take(t, Scope{Host: true})).Empty(), "the host is as it was")
		})
	}
}

func TestNamespaceFacts(t *testing.T) {
	cmd := start(t, &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID,
		Credential:  &syscall.Credential{}, // root of the new user namespace
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: 100000, Size: 65536}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: 100000, Size: 65536}},
	}, "sleep", "60")
	s := take(t, Scope{PIDs: []int{cmd.Process.Pid}})
	p := s.Find(Process, strconv.Itoa(cmd.Process.Pid))
	require.NotNil(t, p)
	require.Equal(t, "100000", p.Detail.Get("uid"))
	require.Equal(t, strconv.Itoa(cmd.Process.Pid)+" 1", p.Detail.Get("pids"))

	user := p.Detail.Get("user")
	require.Equal(t, user, s.Find(Net, p.Detail.Get("net")).Detail.Get("owner"))
	require.Equal(t, user, s.Find(PID, p.Detail.Get("pid")).Detail.Get("owner"))
	ours, err := os.Readlink("/proc/self/ns/user")
	require.NoError(t, err)
	require.Equal(t, ours, s.Find(User, user).Detail.Get("parent"))
	m := s.Find(IDMap, user)
	require.NotNil(t, m)
	require.Equal(t, "0 100000 65536", m.Detail.Get("uid_map"))
	require.Equal(t, "0 100000 65536", m.Detail.Get("gid_map"))
	caps := s.Find(Caps, p.ID)
	require.Contains(t, caps.Detail.Get("effective"), "all ")
	require.Equal(t, user, caps.Detail.Get("relative to"))
}

// unshare(2) of a PID namespace moves children only: it is seen at the parent
// until the first child is in it, and belongs to the child from then on.
func TestNamespaceForChildren(t *testing.T) {
	s := startShell(t, 0)
	d := s.during("exec unshare --time /bin/sh -c 'echo status 0; %s'", driver)
	require.Equal(t, []string{"time"}, kindNames(d.Created), "in it by exec, or for children before Linux 6.3")

	d = s.during("exec unshare --pid /bin/sh -c 'sleep 60 & echo status 0; %s'", driver)
	created := (&Snapshot{Objects: d.Created}).Of(PID)
	require.Len(t, created, 1)
	require.Empty(t, created[0].Detail.Get("for"), "its first process is in scope")
	out := take(t, Scope{PIDs: []int{s.pid}})
	link, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid_for_children", s.pid))
	require.NoError(t, err)
	require.Equal(t, created[0].ID, link)
	require.Len(t, out.Of(Process), 2)
}

// A bind mount keeps a namespace when its last process has gone.
func TestPinnedNamespaceStays(t *testing.T) {
	cmd := start(t, &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUTS}, "sleep", "60")
	require.NoError(t, os.MkdirAll("/run/cutaway", 0o700))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll("/run/cutaway")) })
	require.NoError(t, os.WriteFile("/run/cutaway/pin", []byte{0}, 0o600))
	scope := Scope{Host: true, PIDs: []int{cmd.Process.Pid}}
	before := take(t, scope)
	ns, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/uts", cmd.Process.Pid))
	require.NoError(t, err)
	require.NoError(t, syscall.Mount(fmt.Sprintf("/proc/%d/ns/uts", cmd.Process.Pid), "/run/cutaway/pin", "", syscall.MS_BIND, ""))
	t.Cleanup(func() { require.NoError(t, syscall.Unmount("/run/cutaway/pin", 0)) })
	pinned := take(t, scope)
	require.Contains(t, ids(Compare(before, pinned).Changed), "uts "+ns)
	stop(cmd)
	kept := take(t, scope).Find(UTS, ns)
	require.NotNil(t, kept)
	require.Equal(t, "0", kept.Detail.Get("processes"))
	require.Equal(t, "/run/cutaway/pin", kept.Detail.Get("pinned"))
}

func TestHostnameChanges(t *testing.T) {
	s := startShell(t, syscall.CLONE_NEWUTS)
	was, err := os.Hostname()
	require.NoError(t, err)
	d := s.during("hostname cutaway-test")
	require.Empty(t, d.Created)
	require.Empty(t, d.Removed)
	require.Len(t, d.Changed, 1)
	require.Equal(t, UTS, d.Changed[0].Kind)
	require.Equal(t, "cutaway-test", d.Changed[0].Detail.Get("nodename"))
	require.Equal(t, Detail{{Key: "nodename", Value: was}}, d.Changed[0].Was)
}

// unshare(2) in place: the process stays, the namespace it is in changes.
func TestUnshareChangesTheProcess(t *testing.T) {
	s := startShell(t, 0)
	d := s.during("exec unshare --uts /bin/sh -c 'echo status 0; %s'", driver)
	require.Equal(t, []string{"uts"}, kindNames(d.Created))
	require.Len(t, d.Changed, 1)
	require.Equal(t, Process, d.Changed[0].Kind)
	require.Equal(t, d.Created[0].ID, d.Changed[0].Detail.Get("uts"))
	ours, err := os.Readlink("/proc/self/ns/uts")
	require.NoError(t, err)
	require.Equal(t, ours, d.Changed[0].Was.Get("uts"))
}

func kindNames(objects []Object) []string {
	var names []string
	for _, o := range objects {
		names = append(names, string(o.Kind))
	}
	return names
}

func TestChdirAndUlimitChange(t *testing.T) {
	s := startShell(t, 0)
	s.do("cd /")
	d := s.during("cd /tmp")
	require.Equal(t, []string{"process " + strconv.Itoa(s.pid)}, ids(d.Changed))
	require.Equal(t, Detail{{Key: "cwd", Value: "/"}}, d.Changed[0].Was)
	s.do("ulimit -n 100")
	d = s.during("ulimit -n 64")
	require.Equal(t, []string{"rlimits " + strconv.Itoa(s.pid)}, ids(d.Changed))
	require.Equal(t, "64", d.Changed[0].Detail.Get("RLIMIT_NOFILE"))
	require.Equal(t, Detail{{Key: "RLIMIT_NOFILE", Value: "100"}}, d.Changed[0].Was)
}

// After chroot the link tells the new root; after pivot_root it reads "/"
// again, and only the inode tells.
func TestRootChanges(t *testing.T) {
	dir := t.TempDir()
	s := startShell(t, syscall.CLONE_NEWNS)
	s.do("mount --rbind / %s && mkdir -p %s/run/old && cd %s", dir, dir, dir)
	before := take(t, Scope{PIDs: []int{s.pid}}).Find(Process, strconv.Itoa(s.pid))
	s.do("mount -t tmpfs new %s/run && mkdir %s/run/old && cd %s/run", dir, dir, dir)
	d := s.during("pivot_root . old; cd /")
	require.NotEmpty(t, d.Changed)
	i := slices.IndexFunc(d.Changed, func(o Object) bool { return o.Kind == Process })
	require.GreaterOrEqual(t, i, 0, "the process's root changed")
	require.Equal(t, before.Detail.Get("root inode"), d.Changed[i].Was.Get("root inode"))
	require.Equal(t, "/", d.Changed[i].Detail.Get("root"))
	require.Contains(t, kindNames(d.Changed), "mount", "what was / is now below it")
}

func TestCgroupAppearsAndFreezes(t *testing.T) {
	needRoot(t)
	mount := t.TempDir()
	require.NoError(t, syscall.Mount("cgroup2", mount, "cgroup2", 0, ""))
	t.Cleanup(func() { _ = syscall.Unmount(mount, syscall.MNT_DETACH) })
	name := fmt.Sprintf("cutaway-inspect-test-%d", time.Now().UnixNano())
	root := filepath.Join(mount, name)
	scope := Scope{CgroupRoots: []string{root}}
	before := take(t, scope)
	require.NoError(t, os.MkdirAll(root+"/child", 0o755))
	t.Cleanup(func() {
		require.NoError(t, os.Remove(root+"/child"))
		require.NoError(t, os.Remove(root))
		require.True(t, Compare(before, take(t, scope)).Empty())
	})
	made := take(t, scope)
	require.Equal(t, []string{"cgroup " + name, "cgroup " + name + "/child"}, ids(Compare(before, made).Created))
	require.NoError(t, os.WriteFile(root+"/child/cgroup.freeze", []byte("1"), 0o644))
	d := Compare(made, take(t, scope))
	require.Equal(t, []string{"cgroup " + name + "/child"}, ids(d.Changed))
	require.Equal(t, Detail{{Key: "cgroup.freeze", Value: "0"}}, d.Changed[0].Was)

	// The same name, another control group.
	require.NoError(t, os.Remove(root+"/child"))
	require.NoError(t, os.Mkdir(root+"/child", 0o755))
	d = Compare(made, take(t, scope))
	require.Equal(t, ids(d.Removed), ids(d.Created))
}

func TestPrivilegesOfAProcess(t *testing.T) {
	cmd := start(t, nil, "setpriv", "--no-new-privs", "--bounding-set", "-all,+net_raw", "--inh-caps", "-all", "sleep", "60")
	id := strconv.Itoa(cmd.Process.Pid)
	require.Eventually(t, func() bool {
		s := take(t, Scope{PIDs: []int{cmd.Process.Pid}})
		return s.Find(Process, id).Detail.Get("name") == "sleep"
	}, 5*time.Second, 5*time.Millisecond)
	s := take(t, Scope{PIDs: []int{cmd.Process.Pid}})
	require.Equal(t, "CAP_NET_RAW", s.Find(Caps, id).Detail.Get("bounding"))
	require.Equal(t, "CAP_NET_RAW", s.Find(Caps, id).Detail.Get("effective"))
	require.Equal(t, "yes", s.Find(Seccomp, id).Detail.Get("no_new_privs"))
	require.Equal(t, "disabled", s.Find(Seccomp, id).Detail.Get("mode"))
}

// Having ended is a change; the dead keep their number until waited for.
func TestZombieIsChanged(t *testing.T) {
	needRoot(t)
	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	awaitExec(t, cmd)
	scope := Scope{PIDs: []int{cmd.Process.Pid}}
	before := take(t, scope)
	require.NoError(t, in.Close())
	id := strconv.Itoa(cmd.Process.Pid)
	require.Eventually(t, func() bool {
		p := take(t, scope).Find(Process, id)
		return p != nil && p.Detail.Get("state") == "Z (zombie)"
	}, 5*time.Second, 5*time.Millisecond)
	after := take(t, scope) // the one before may have seen it die half-way
	changed := (&Snapshot{Objects: Compare(before, after).Changed}).Find(Process, id)
	require.NotNil(t, changed)
	require.NotEmpty(t, changed.Was.Get("state"))
	require.NoError(t, cmd.Wait())
	require.NotEmpty(t, Compare(after, take(t, scope)).Removed)
}

func TestDescendantsAreInScope(t *testing.T) {
	s := startShell(t, 0)
	d := s.during("sleep 60 & sh -c 'sleep 60 & wait' & sleep 0.2")
	require.Equal(t, 3, len(slices.DeleteFunc(kindNames(d.Created), func(k string) bool { return k != "process" })))
}

// Looking twice at an idle world finds no change.
func TestStable(t *testing.T) {
	cmd := start(t, &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS | syscall.CLONE_NEWPID,
	}, "sleep", "60")
	scope := Scope{Host: true, PIDs: []int{cmd.Process.Pid}}
	before := take(t, scope)
	time.Sleep(50 * time.Millisecond)
	require.Equal(t, Diff{}, Compare(before, take(t, scope)))
}

// Processes that end while they are looked at leave neither errors nor gaps.
func TestProcessesVanish(t *testing.T) {
	needRoot(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	churn := exec.CommandContext(ctx, "/bin/sh", "-c", "while :; do unshare -un true; true; done")
	require.NoError(t, churn.Start())
	t.Cleanup(func() { stop(churn) })
	for ctx.Err() == nil {
		take(t, Scope{PIDs: []int{churn.Process.Pid}})
	}
}

// The threads that looked elsewhere are gone; the process is where it was.
func TestReaderStaysWhereItIs(t *testing.T) {
	cmd := start(t, &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC}, "sleep", "60")
	where := func() []string {
		links, err := filepath.Glob("/proc/self/task/*/ns/net")
		require.NoError(t, err)
		var out []string
		for _, l := range links {
			if ns, err := os.Readlink(l); err == nil && !slices.Contains(out, ns) {
				out = append(out, ns)
			}
		}
		return out
	}
	for range 50 {
		take(t, Scope{PIDs: []int{cmd.Process.Pid}})
		require.Equal(t, worldNet, readNamespaces("/proc/self")[Net])
	}
	require.Eventually(t, func() bool { return slices.Equal([]string{worldNet}, where()) },
		5*time.Second, time.Millisecond, "a thread takes a moment to end")
}

func TestOfProcess(t *testing.T) {
	needRoot(t)
	s, err := OfProcess(os.Getpid())
	require.NoError(t, err)
	require.NotEmpty(t, s.Of(Mount), "what it shares with the reader is shown too")
	require.NotEmpty(t, s.Of(Link))
	require.Len(t, s.Of(Process), 1)
	_, err = OfProcess(1 << 22)
	require.ErrorIs(t, err, syscall.ESRCH)
}

func TestPairTellsTheDifference(t *testing.T) {
	cmd := start(t, &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUTS | syscall.CLONE_NEWNET}, "sleep", "60")
	a, err := OfProcess(os.Getpid())
	require.NoError(t, err)
	b, err := OfProcess(cmd.Process.Pid)
	require.NoError(t, err)
	same := map[Kind]bool{}
	for _, r := range Pair(a, b) {
		if r.Name == "namespace" {
			same[r.Kind] = r.Same
		}
		if r.Kind == Caps || r.Kind == Mount {
			require.True(t, r.Same, "%v", r)
		}
	}
	require.Equal(t, map[Kind]bool{
		User: true, Mnt: true, UTS: false, PID: true, IPC: true, Net: false, CgroupNS: true, Time: true,
	}, same)
}

func TestTakeHonoursItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := Take(ctx, Scope{})
	require.ErrorIs(t, err, context.Canceled)
}

func BenchmarkTakeHostAndOneProcess(b *testing.B) {
	cmd := exec.Command("sleep", "60")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS,
	}
	require.NoError(b, cmd.Start())
	b.Cleanup(func() { stop(cmd) })
	for b.Loop() {
		_, err := Take(context.Background(), Scope{Host: true, PIDs: []int{cmd.Process.Pid}})
		require.NoError(b, err)
	}
}
