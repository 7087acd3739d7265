package vm

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// One machine, many commands.
func TestRun(t *testing.T) {
	m := testBoot(t)
	ctx := testContext(t)
	run := func(c Command) (out, errs string, status int, err error) {
		var o, e bytes.Buffer
		c.Stdout, c.Stderr = &o, &e
		status, err = m.Run(ctx, c)
		return o.String(), e.String(), status, err
	}
	t.Run("exit status", func(t *testing.T) {
		for line, want := range map[string]int{"true": 0, "exit 7": 7, "exit 255": 255, "kill -9 $$": 137} {
			_, _, status, err := run(Command{Args: []string{"sh", "-c", line}})
			require.NoError(t, err)
			require.Equal(t, want, status, line)
		}
	})
	t.Run("what cannot be run", func(t *testing.T) {
		_, _, status, err := run(Command{Args: []string{"no-such-program"}})
		require.Equal(t, 127, status)
		require.ErrorContains(t, err, "no-such-program")
		_, _, status, err = run(Command{Args: []string{"/etc/passwd"}})
		require.Equal(t, 126, status)
		require.Error(t, err)
	})
	t.Run("streams are exact and apart", func(t *testing.T) {
		// Several windows long, with every byte a terminal would change.
		sent := make([]byte, 3<<20)
		rand.Read(sent)
		var out, errs bytes.Buffer
		status, err := m.Run(ctx, Command{Args: []string{"sh", "-c", "echo begin >&2; cat; echo end >&2"},
			Stdin: bytes.NewReader(sent), Stdout: &out, Stderr: &errs})
		require.NoError(t, err)
		require.Zero(t, status)
		require.True(t, bytes.Equal(sent, out.Bytes()), "%d bytes of %d", out.Len(), len(sent))
		require.Equal(t, "begin\nend\n", errs.String())
	})
	t.Run("output that comes after the command", func(t *testing.T) {
		out, _, _, err := run(Command{Args: []string{"sh", "-c", "(sleep 0.2; echo late) & echo early"}})
		require.NoError(t, err)
		require.Equal(t, "early\nlate\n", out)
	})
	t.Run("environment and directory", func(t *testing.T) {
		out, _, _, err := run(Command{Args: []string{"sh", "-c", "echo $A $HOME; pwd"}, Env: []string{"A=b"}, Dir: "/etc"})
		require.NoError(t, err)
		require.Equal(t, "b /root\n/etc\n", out)
	})
	t.Run("what a container needs", func(t *testing.T) {
		out, _, status, err := run(Command{Args: []string{"sh", "-c", `set -e
			cat /etc/cutaway-machine; hostname; date +%Y
			stat -f -c %T /sys/fs/cgroup; cat /sys/fs/cgroup/cgroup.controllers
			mkdir -p /var/l /var/u /var/w /var/m; mount -t overlay -o lowerdir=/var/l,upperdir=/var/u,workdir=/var/w o /var/m
			ip link add cutaway-test type veth; ip link add cutaway-bridge type bridge; ip link set lo up
			unshare -m sh -c 'mount -t tmpfs t /mnt && cd /mnt && mkdir old && pivot_root . old'`}})
		require.NoError(t, err)
		require.Zero(t, status)
		require.Contains(t, out, "a microVM of cutaway\nmicrovm\n"+time.Now().UTC().Format("2006")+"\n")
		for _, controller := range []string{"cpu", "memory", "pids", "io"} {
			require.Contains(t, out, controller)
		}
	})
	t.Run("signals", func(t *testing.T) {
		signals := make(chan os.Signal, 1)
		signals <- syscall.SIGTERM
		started := time.Now()
		status, err := m.Run(ctx, Command{Args: []string{"sleep", "30"}, Signals: signals})
		require.NoError(t, err)
		require.Equal(t, 128+15, status)
		require.Less(t, time.Since(started), 10*time.Second)
	})
	t.Run("time limit", func(t *testing.T) {
		_, err := RunIn(ctx, m.Link(), Options{Command: Command{Args: []string{"sleep", "31"}}, Timeout: 200 * time.Millisecond})
		require.ErrorIs(t, err, errTimeout)
		require.Eventually(t, func() bool {
			out, _, _, err := run(Command{Args: []string{"ps", "-o", "args"}})
			return err == nil && !strings.Contains(out, "sleep 31")
		}, 5*time.Second, 50*time.Millisecond, "the command outlives its time")
	})
	t.Run("a reader that does not read holds up nobody", func(t *testing.T) {
		r, w := io.Pipe()
		done := make(chan error)
		stalled, cancel := context.WithCancel(ctx)
		go func() {
			_, err := m.Run(stalled, Command{Args: []string{"cat", "/dev/zero"}, Stdout: w})
			done <- err
		}()
		_, err := r.Read(make([]byte, 1))
		require.NoError(t, err)
		out, _, _, err := run(Command{Args: []string{"echo", "through"}})
		require.NoError(t, err)
		require.Equal(t, "through\n", out)
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		r.Close()
	})
	t.Run("a terminal", func(t *testing.T) { testTerminal(t, ctx, m) })
	t.Run("a terminal that is closed", func(t *testing.T) {
		limited, cancel := context.WithTimeout(ctx, 15*time.Second)
		defer cancel()
		status, err := m.Run(limited, Command{Args: []string{"sleep", "43"}, Stdin: strings.NewReader("typed"), Stdout: io.Discard, Terminal: [3]bool{true, true, true}})
		require.NoError(t, err)
		require.Equal(t, 128+int(syscall.SIGHUP), status)
	})
	t.Run("a shared folder", func(t *testing.T) { testShare(t, ctx, m) })
	t.Run("a kernel that panics", func(t *testing.T) {
		_, _, _, err := run(Command{Args: []string{"sh", "-c", "echo c >/proc/sysrq-trigger; sleep 10"}})
		require.ErrorIs(t, err, ErrLost)
		require.ErrorContains(t, err, "the kernel panicked")
		require.ErrorContains(t, err, "sysrq triggered crash")
	})
}

// testTerminal types into a shell that has job control. Before a prompt the shell
// looks what became of its jobs; so one more prompt comes before exit. What still runs
// in the background then holds nobody up.
func testTerminal(t *testing.T, ctx context.Context, m *Machine) {
	keys, typed := io.Pipe()
	var screen bytes.Buffer
	go func() {
		for _, line := range []string{"stty size; tty\n", "sleep 40\n", "\x03", "echo status $?\n", "sleep 41\n", "\x1a", "jobs\n", "kill -9 %1\n", "\n", "sleep 42 &\n", "exit 5\n"} {
			io.WriteString(typed, line)
			time.Sleep(300 * time.Millisecond)
		}
	}()
	limited, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	status, err := m.Run(limited, Command{Args: []string{"sh"}, Env: []string{"PS1=> "}, Stdin: keys, Stdout: &screen, Terminal: [3]bool{true, true, true}})
	require.NoError(t, err, screen.String())
	require.Equal(t, 5, status, screen.String())
	require.Contains(t, screen.String(), "24 80\r\n/dev/pts/")
	require.Contains(t, screen.String(), "status 130")
	require.Regexp(t, `\[1\]\+\s+Stopped\s+sleep 41`, screen.String())
}

// testShare changes a folder inside.
func testShare(t *testing.T, ctx context.Context, m *Machine) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "old"), []byte("old\n"), 0o640))
	require.NoError(t, os.Symlink("old", filepath.Join(dir, "link")))
	before, err := os.Stat(filepath.Join(dir, "old"))
	require.NoError(t, err)
	time.Sleep(1100 * time.Millisecond) // archives tell times apart by the second
	status, err := RunIn(ctx, m.Link(), Options{Share: dir, Command: Command{
		Args: []string{"sh", "-c", "cat link > copy && mkdir -p a/b && echo new > a/b/c && chmod 755 a/b/c && ln -s ../.. a/up"}, Dir: ShareDir}})
	require.NoError(t, err)
	require.Zero(t, status)
	for name, want := range map[string]string{"copy": "old\n", "a/b/c": "new\n", "link": "old\n"} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
	script, err := os.Stat(filepath.Join(dir, "a/b/c"))
	require.NoError(t, err)
	require.EqualValues(t, 0o755, script.Mode().Perm())
	after, err := os.Stat(filepath.Join(dir, "old"))
	require.NoError(t, err)
	require.Equal(t, before.ModTime(), after.ModTime(), "it was not touched inside")
}

// An image that does not boot ends in an error with what the console had.
func TestDoesNotBoot(t *testing.T) {
	c := testConfig(t)
	c.Append, c.BootLimit, c.Accel = "rdinit=/bin/no-such-init", 20*time.Second, "tcg"
	_, err := Boot(testContext(t), c)
	require.ErrorIs(t, err, ErrLost)
	require.ErrorContains(t, err, "Kernel panic")
	var failed *BootError
	require.ErrorAs(t, err, &failed)
	require.LessOrEqual(t, len(failed.Console), 20)

	// cat waits for ever for what nobody types on the console.
	c.Append, c.BootLimit = "rdinit=/bin/cat", 4*time.Second
	_, err = Boot(testContext(t), c)
	require.ErrorContains(t, err, "not ready after 4s")
}

func TestNoQEMU(t *testing.T) {
	c := testConfig(t)
	k, err := FindKernel(testContext(t), c.Kernel)
	require.NoError(t, err)
	t.Setenv("PATH", t.TempDir())
	_, err = hardware{kernel: k, accel: "tcg"}.boot(testContext(t), time.Second)
	var none *NoQEMUError
	require.ErrorAs(t, err, &none)
	require.ErrorContains(t, err, "no qemu-system-")
}

// TestKilled kills QEMU, then whoever started it: neither leaves the other.
func TestKilled(t *testing.T) {
	m := testBoot(t)
	go func() {
		time.Sleep(300 * time.Millisecond)
		m.qemu.process.Kill()
	}()
	_, err := m.Run(testContext(t), Command{Args: []string{"sleep", "60"}})
	require.ErrorIs(t, err, ErrLost)
	require.ErrorContains(t, err, "QEMU ended: signal: killed")

	line, err := json.Marshal([]string{"sh", "-c", "echo ready; sleep 60"})
	require.NoError(t, err)
	runner := second(t, runThis+"="+string(line))
	out, err := runner.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, runner.Start())
	ready := make([]byte, len("ready\n"))
	_, err = io.ReadFull(out, ready)
	require.NoError(t, err)
	children := childrenOf(t, runner.Process.Pid)
	require.Len(t, children, 1, "QEMU")
	require.NoError(t, runner.Process.Kill())
	require.Error(t, runner.Wait())
	require.Eventually(t, func() bool { return syscall.Kill(children[0], 0) == syscall.ESRCH }, 2*time.Second, time.Millisecond,
		"QEMU outlives whoever started it")
}

// second is this test binary once more, as another process.
func second(t *testing.T, env ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(testContext(t), self)
	cmd.Env = append(os.Environ(), append(env, withInit+"="+testConfig(t).Init)...)
	return cmd
}

// childrenOf lists the processes whose parent is pid.
func childrenOf(t *testing.T, pid int) []int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	var children []int
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// proc_pid_stat(5): the name is in parentheses and may contain anything.
		fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		var child int
		if fields[1] == itoa(pid) {
			child = atoi(t, filepath.Base(filepath.Dir(file)))
			children = append(children, child)
		}
	}
	return children
}
