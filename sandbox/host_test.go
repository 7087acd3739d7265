package sandbox

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"cutaway/sandbox/event"
	"cutaway/sandbox/image"
	"cutaway/sandbox/inspect"
	"cutaway/sandbox/op"
	"cutaway/sandbox/plan"
	"cutaway/sandbox/sys"

	"github.com/stretchr/testify/require"
)

// TestMain keeps the lab's tests apart from those of other packages: all
// compare what the host was with what it is.
func TestMain(m *testing.M) {
	if state := os.Getenv(rootlessState); state != "" {
		if err := rootless(state); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if dir := os.Getenv(lockIn); dir != "" {
		if err := holdLock(dir); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if os.Getenv(inOwnNet) != "" { // the one who started us holds the lock
		os.Exit(m.Run())
	}
	os.Exit(func() int {
		lock, err := os.OpenFile(filepath.Join(os.TempDir(), "cutaway-test.lock"), os.O_CREATE|os.O_RDWR, 0o600)
		if err == nil {
			defer lock.Close()
			err = sys.Lock(lock)
		}
		if err != nil {
			fmt.Println(err)
			return 1
		}
		return m.Run()
	}())
}

// bench is a lab with a root filesystem, for one test.
type bench struct {
	*Lab
	tree   string
	before *inspect.Snapshot
}

// newLab makes a lab whose container ids are shifted to 100000, and checks in
// the end that the host is what it was.
func newLab(t *testing.T) bench {
	t.Helper()
	require.Zero(t, os.Geteuid(), "these tests need root")
	state, err := os.MkdirTemp("", "cutaway-sandbox-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(state, 0o711))
	l, err := New(state)
	require.NoError(t, err)
	store, err := image.Open(l.Dirs.Images())
	require.NoError(t, err)
	embedded, err := image.BuiltIn()
	require.NoError(t, err)
	img, err := store.Add(t.Context(), image.BuiltInRef, embedded)
	require.NoError(t, err)
	b := bench{Lab: l, tree: filepath.Join(state, "tree")}
	require.NoError(t, store.Flatten(t.Context(), img, image.Owner{UIDBase: 100000, GIDBase: 100000}, b.tree))
	b.before, err = inspect.Take(t.Context(), l.Scope())
	require.NoError(t, err)
	t.Cleanup(func() {
		after, err := inspect.Take(context.Background(), l.Scope())
		require.NoError(t, err)
		require.Empty(t, inspect.Compare(b.before, after), "the host is not what it was")
		undone, err := l.Clean()
		require.NoError(t, err)
		require.Empty(t, undone, "clean found something")
		require.NoError(t, os.RemoveAll(state))
	})
	return b
}

// spec is a container with every namespace, running args.
func (b bench) spec(args ...string) plan.Spec {
	ids := []op.IDMapping{{ContainerID: 0, HostID: 100000, Size: 65536}}
	return plan.Spec{
		Hostname: "cutaway",
		Root:     plan.Root{From: b.tree, Pivot: true},
		Process:  plan.Process{Args: args, Env: []string{"PATH=/bin:/usr/bin"}},
		Net:      plan.Net{Mode: "bridge"},
		Linux: plan.Linux{
			Namespaces:  []string{"mount", "uts", "pid", "ipc", "network", "user", "cgroup"},
			UIDMappings: ids, GIDMappings: ids, Proc: true, Devices: true, Cgroup: true,
			Resources: plan.Resources{PidsMax: 64},
		},
	}
}

// null gives descriptors for a payload that nobody listens to.
func null(t *testing.T) Options {
	t.Helper()
	f, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	return Options{Stdio: [3]*os.File{f, f, f}}
}

func TestExitStatus(t *testing.T) {
	b := newLab(t)
	for script, want := range map[string]int{"true": 0, "exit 7": 7, "kill -9 $$": 0} {
		exit, err := Run(t.Context(), b.Lab, b.spec("sh", "-c", script), null(t), false)
		require.NoError(t, err)
		require.Equal(t, want, exit.Status(), "%s: PID 1 cannot even kill itself", script)
	}
}

func TestKilledPayload(t *testing.T) {
	b := newLab(t)
	c, err := b.Start(t.Context(), b.spec("sleep", "60"), null(t))
	require.NoError(t, err)
	c.Signal(syscall.SIGKILL)
	exit, err := c.Wait()
	require.NoError(t, err)
	require.Equal(t, 137, exit.Status())
	require.Equal(t, "SIGKILL", exit.SignalName())
	require.NoError(t, c.Remove())
}

func TestRefusedPayload(t *testing.T) {
	b := newLab(t)
	script := filepath.Join(b.tree, "garbage")
	require.NoError(t, os.WriteFile(script, []byte{0, 1, 2}, 0o755))
	for name, want := range map[string]sys.Errno{
		"no-such-program": sys.ENOENT,
		"/no/such/path":   sys.ENOENT,
		"/etc/motd":       sys.EACCES,
		"/garbage":        sys.ENOEXEC,
	} {
		for _, watch := range []bool{false, true} {
			o := null(t)
			o.Watch = watch
			_, err := b.Start(t.Context(), b.spec(name), o)
			var refused *op.Error
			require.ErrorAs(t, err, &refused, name)
			require.Equal(t, want, refused.Errno, name)
			require.Equal(t, "execve", refused.Op)
			require.NotEmpty(t, refused.Hint(), name)
		}
	}
}

// TestBothWays makes the same container watched and unwatched: it is one Plan.
func TestBothWays(t *testing.T) {
	b := newLab(t)
	var calls []sys.Call
	b.Emit = func(e event.Event) { calls = append(calls, e.Calls...) }
	for _, watch := range []bool{true, false} {
		read, write, err := os.Pipe()
		require.NoError(t, err)
		o := null(t)
		o.Watch, o.Stdio[1] = watch, write
		exit, err := Run(t.Context(), b.Lab, b.spec("sh", "-c", "hostname; echo $$; id -u; ls /dev | wc -l"), o, false)
		write.Close()
		require.NoError(t, err)
		require.Zero(t, exit.Status())
		out := make([]byte, 100)
		n, err := read.Read(out)
		require.NoError(t, err)
		require.Equal(t, "cutaway\n1\n0\n13\n", string(out[:n]))
	}
	last := calls[len(calls)-1]
	require.Equal(t, "execve", last.Name)
	require.Equal(t, `"/bin/sh"`, last.Args[0], "the program that was found in PATH")
}

func TestCancelled(t *testing.T) {
	b := newLab(t)
	for step := range 40 {
		ctx, cancel := context.WithCancel(t.Context())
		o := null(t)
		o.Watch = true
		o.Pause = func(_ context.Context, p event.Preview) (event.Decision, error) {
			if p.Step == step+1 {
				cancel()
			}
			return event.Go, nil
		}
		_, err := b.Start(ctx, b.spec("sleep", "60"), o)
		require.ErrorIs(t, err, context.Canceled, "step %d", step)
	}
}

func TestQuitAndBack(t *testing.T) {
	b := newLab(t)
	for decision, want := range map[event.Decision]error{event.Quit: ErrQuit, event.Back: ErrBack} {
		o := null(t)
		o.Watch = true
		o.Pause = func(_ context.Context, p event.Preview) (event.Decision, error) {
			require.NotEmpty(t, p.Why)
			if p.Step == 12 {
				return decision, nil
			}
			return event.Go, nil
		}
		_, err := b.Start(t.Context(), b.spec("sleep", "60"), o)
		require.ErrorIs(t, err, want)
	}
}

// TestTwoLabs has two containers live at once: they share the bridge, have
// different addresses, and the first to go leaves the other its network.
func TestTwoLabs(t *testing.T) {
	b := newLab(t)
	first, err := b.Start(t.Context(), b.spec("sleep", "60"), null(t))
	require.NoError(t, err)
	other, err := New(b.Dirs.Data)
	require.NoError(t, err)
	second, err := other.Start(t.Context(), b.spec("sleep", "60"), null(t))
	require.NoError(t, err)
	require.NotEqual(t, first.Spec.Net.Address, second.Spec.Net.Address)
	undone, err := other.Clean()
	require.NoError(t, err)
	require.Empty(t, undone, "both live")
	require.NoError(t, first.Remove())
	exit, err := Run(t.Context(), other, b.spec("ping", "-c", "1", "-W", "2", strings.TrimSuffix(second.Spec.Net.Address, "/24")), null(t), false)
	require.NoError(t, err)
	require.Zero(t, exit.Status(), "the neighbour still answers")
	require.NoError(t, second.Remove())
}

// TestLastOfItsKind has a container outlive one that used more of the host: the
// shared part goes with the last container that uses it, not with the last one.
func TestLastOfItsKind(t *testing.T) {
	b := newLab(t)
	user, err := b.Start(t.Context(), b.spec("sleep", "60"), null(t))
	require.NoError(t, err)
	plain := b.spec("sleep", "60")
	plain.Net.Mode, plain.Linux.Cgroup, plain.Linux.Resources = "none", false, plan.Resources{}
	other, err := b.Start(t.Context(), plain, null(t))
	require.NoError(t, err)
	group := filepath.Dir(plan.CgroupDirs(user.Spec, b.Features)[0])
	require.DirExists(t, group)
	require.NoError(t, user.Remove())
	require.NoDirExists(t, group)
	links, err := net.Interfaces()
	require.NoError(t, err)
	for _, l := range links {
		require.NotEqual(t, bridgeName, l.Name)
	}
	require.NoError(t, other.Remove())
}

func TestFind(t *testing.T) {
	b := newLab(t)
	o := null(t)
	o.Name = "web"
	c, err := b.Start(t.Context(), b.spec("sleep", "60"), o)
	require.NoError(t, err)
	for _, word := range []string{"web", c.Spec.ID, c.Spec.ID[:3]} {
		r, err := b.Find(word)
		require.NoError(t, err, word)
		require.Equal(t, c.PID(), r.PID)
		require.True(t, r.Live)
	}
	_, err = b.Find("nobody")
	require.ErrorContains(t, err, `find container "nobody"`)
	require.NoError(t, c.Remove())
}

// TestStrays leaves a process behind in a container without a PID namespace.
func TestStrays(t *testing.T) {
	b := newLab(t)
	s := b.spec("sh", "-c", "setsid sleep 61 & exit 0")
	s.Drop("pid")
	s.Linux.Proc = false
	s.Linux.Devices = false
	exit, err := Run(t.Context(), b.Lab, s, null(t), false)
	require.NoError(t, err)
	require.Zero(t, exit.Status())
	require.Eventually(t, func() bool {
		found, err := filepath.Glob("/proc/[0-9]*/cmdline")
		require.NoError(t, err)
		for _, f := range found {
			if line, err := os.ReadFile(f); err == nil && string(line) == "sleep\x0061\x00" {
				return false
			}
		}
		return true
	}, time.Second, 10*time.Millisecond)
}

// TestLongSpec starts a payload with more arguments than fit into one message to
// init.
func TestLongSpec(t *testing.T) {
	b := newLab(t)
	spec := b.spec("sh", "-c", "[ $# = 4 ] && [ ${#4} = 100000 ]", "sh")
	for range 4 {
		spec.Process.Args = append(spec.Process.Args, strings.Repeat("x", 100000))
	}
	exit, err := Run(t.Context(), b.Lab, spec, null(t), false)
	require.NoError(t, err)
	require.Zero(t, exit.Status())
}

// TestSameName refuses a second container of a name.
func TestSameName(t *testing.T) {
	b := newLab(t)
	o := null(t)
	o.Name = "twin"
	c, err := b.Start(t.Context(), b.spec("sleep", "60"), o)
	require.NoError(t, err)
	_, err = b.Start(t.Context(), b.spec("true"), o)
	require.ErrorContains(t, err, c.Spec.ID+" is called that")
	require.NoError(t, c.Remove())
}

// TestTwoLabsWatched makes two containers side by side, step by step: nobody
// takes the other's doing for a step's own.
func TestTwoLabsWatched(t *testing.T) {
	b := newLab(t)
	surprises := make(chan string, 1000)
	made := make(chan *Container, 2)
	var wg sync.WaitGroup
	for range cap(made) {
		l, err := New(b.Dirs.Data)
		require.NoError(t, err)
		l.Emit = func(e event.Event) {
			for _, kind := range append(e.Unexpected, e.Missing...) {
				surprises <- fmt.Sprintf("step %d, %s: %s", e.Step, e.Op, kind)
			}
		}
		o := null(t)
		o.Watch = true
		wg.Go(func() {
			c, err := l.Start(t.Context(), b.spec("sleep", "60"), o)
			if err != nil {
				surprises <- err.Error()
				return
			}
			made <- c
		})
	}
	wg.Wait()
	close(made)
	for c := range made {
		require.NoError(t, c.Remove())
	}
	close(surprises)
	for s := range surprises {
		t.Error(s)
	}
}
