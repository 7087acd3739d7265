package inspect

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// worldNet is the network namespace the tests began in.
var worldNet = readNamespaces("/proc/self")[Net]

// TestMain runs the tests in namespaces of their own, with an empty /run and
// no cgroup hierarchy mounted: "the host" of these tests is a world in which
// nothing happens but what the tests do.
func TestMain(m *testing.M) {
	if os.Geteuid() != 0 || os.Getenv("CUTAWAY_TEST_WORLD") != "" {
		if err := furnishWorld(); err != nil {
			fmt.Fprintln(os.Stderr, "furnish the tests' namespaces:", err)
			os.Exit(1)
		}
		os.Exit(m.Run())
	}
	runtime.LockOSThread() // Pdeathsig fires when the thread that forked ends
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), "CUTAWAY_TEST_WORLD=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC |
			syscall.CLONE_NEWUTS | syscall.CLONE_NEWPID,
		Pdeathsig: syscall.SIGKILL,
	}
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "tests in namespaces of their own:", err)
		os.Exit(1)
	}
}

func furnishWorld() error {
	if os.Geteuid() != 0 {
		return nil // the parsers' tests need nothing; the others say what they lack
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return err
	}
	for syscall.Unmount("/sys/fs/cgroup", syscall.MNT_DETACH) == nil {
	}
	return syscall.Mount("tmpfs", "/run", "tmpfs", 0, "")
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("needs root: makes namespaces")
	}
}

func take(t *testing.T, scope Scope) *Snapshot {
	t.Helper()
	s, err := Take(context.Background(), scope)
	require.NoError(t, err)
	require.Empty(t, s.Gaps)
	return s
}

// start runs a command in new namespaces until the test ends.
func start(t *testing.T, attr *syscall.SysProcAttr, argv ...string) *exec.Cmd {
	t.Helper()
	needRoot(t)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.SysProcAttr = attr
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { stop(cmd) })
	awaitExec(t, cmd)
	return cmd
}

// awaitExec returns when the command runs its program, or one that this has
// executed in turn. That Start has returned means that execve has closed
// descriptors, which some kernels, such as Debian's 6.1.192, do before the process
// has its new memory and time namespace. Its command line, until then that of this
// program, is what execve writes last.
func awaitExec(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	ours, err := os.ReadFile("/proc/self/cmdline")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", cmd.Process.Pid))
		require.NoError(t, err)
		return len(text) > 0 && string(text) != string(ours)
	}, 5*time.Second, time.Millisecond)
}

// stop kills and waits; a second call finds nothing to do.
func stop(cmd *exec.Cmd) {
	_ = cmd.Process.Kill() // may have ended
	_ = cmd.Wait()         // reports the kill
}

// sh is a shell in namespaces of its own that does what it is told between two
// Snapshots.
type sh struct {
	t   *testing.T
	pid int
	in  io.Writer
	out *bufio.Reader
}

// driver is the shell's program: one command a line, one answer a line.
const driver = `while read -r line; do eval "$line"; echo "status $?"; done`

func startShell(t *testing.T, flags uintptr) *sh {
	t.Helper()
	needRoot(t)
	cmd := exec.Command("/bin/sh", "-c", driver)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags}
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { stop(cmd) })
	s := &sh{t: t, pid: cmd.Process.Pid, in: in, out: bufio.NewReader(out)}
	s.do(":") // it has read its first line: exec is over
	return s
}

// do runs one command and returns when it has succeeded.
func (s *sh) do(format string, args ...any) {
	s.t.Helper()
	command := fmt.Sprintf(format, args...)
	_, err := fmt.Fprintln(s.in, command)
	require.NoError(s.t, err)
	answer, err := s.out.ReadString('\n')
	require.NoError(s.t, err, command)
	require.Equal(s.t, "status 0", strings.TrimSpace(answer), command)
}

// during is the Diff that one command makes, with the host in view.
func (s *sh) during(format string, args ...any) Diff {
	s.t.Helper()
	scope := Scope{Host: true, PIDs: []int{s.pid}}
	before := take(s.t, scope)
	s.do(format, args...)
	return Compare(before, take(s.t, scope))
}

func ids(objects []Object) []string {
	out := []string{}
	for _, o := range objects {
		out = append(out, string(o.Kind)+" "+o.ID)
	}
	return out
}
