package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// probe is the built binary: what it says is only true of a process of its own.
var probe string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

// buildAndRun builds the binary where another user can run it.
func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "cutaway-probe-")
	if err == nil {
		defer os.RemoveAll(dir)
		err = os.Chmod(dir, 0o755)
	}
	if err == nil {
		probe = filepath.Join(dir, "probe")
		build := exec.Command("go", "build", "-o", probe, ".")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		build.Stderr = os.Stderr
		err = build.Run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build probe:", err)
		return 1
	}
	return m.Run()
}

// outcomeOf runs a command to its end: what it printed, and its exit status.
func outcomeOf(t *testing.T, cmd *exec.Cmd) (string, int) {
	t.Helper()
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", cmd, err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// needRoot fails rather than skips: these tests run as root, as the lab does.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("run the tests as root: they make namespaces and change root")
	}
}

// nobody runs the probe as a user without any capability.
func nobody(args ...string) *exec.Cmd {
	cmd := exec.Command(probe, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	return cmd
}

// inNamespaces runs a shell script with the probe as $0, in new namespaces.
func inNamespaces(flags uintptr, script string) *exec.Cmd {
	cmd := exec.Command("sh", "-c", script, probe)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: flags}
	return cmd
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{
		{}, {"nonsense"}, {"call"}, {"call", "nonsense"}, {"call", "setuid", "x"},
		{"escape", "x"},
		{"mount", "bind"}, {"mount", "bind,x", "/a", "/b"}, {"setattr"}, {"fork"}, {"fork", "0"}, {"eat", "12Q"}, {"sysv", "a", "b"}, {"mqueue", "/"}, {"clock", "x"},
		{"spin"}, {"spin", "-1"}, {"share"}, {"share", "1", "now"}, {"write", "1M"}, {"write", "1X", "/tmp/x"},
		{"files"}, {"files", "0"}, {"dns"}, {"dns", "a", "::1"}, {"calls"}, {"calls", "nonsense"}, {"lost"}, {"lost", "nonsense"},
	} {
		out, status := outcomeOf(t, exec.Command(probe, args...))
		require.Equal(t, 2, status, "probe %q: %s", args, out)
		require.Contains(t, out, "usage: probe COMMAND")
		for line := range strings.Lines(out) {
			require.LessOrEqual(t, len(line), 80+len("\n"), line)
		}
	}
}

// Two on the same processor get less than one alone, and computing takes at
// least the time that was asked for.
func TestProcessorTime(t *testing.T) {
	out, status := outcomeOf(t, exec.Command(probe, "spin", "0.05"))
	require.Zero(t, status, out)
	var used, took float64
	_, err := fmt.Sscanf(out, "%f s of processor time in %f s\n", &used, &took)
	require.NoError(t, err, out)
	require.GreaterOrEqual(t, used, 0.05)
	require.GreaterOrEqual(t, took, 0.05)

	begin := fmt.Sprintf("%.3f", float64(time.Now().Add(300*time.Millisecond).UnixMilli())/1000)
	total := 0.0
	first, second := exec.Command(probe, "share", "0.3", begin), exec.Command(probe, "share", "0.3", begin)
	var texts [2]strings.Builder
	for i, cmd := range []*exec.Cmd{first, second} {
		cmd.Stdout = &texts[i]
		require.NoError(t, cmd.Start())
	}
	for i, cmd := range []*exec.Cmd{first, second} {
		require.NoError(t, cmd.Wait())
		var share float64
		_, err := fmt.Sscanf(texts[i].String(), "%f %% of a processor for", &share)
		require.NoError(t, err, texts[i].String())
		require.Less(t, share, 90.0)
		total += share
	}
	require.Less(t, total, 115.0, "they share one processor")
}

func TestWriteLeavesNoFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "big")
	out, status := outcomeOf(t, exec.Command(probe, "write", "300K", file))
	if status == 0 {
		require.Regexp(t, `^wrote 300K in \d+\.\d\d s\n$`, out)
	} else { // some file systems in memory know no O_DIRECT
		require.Contains(t, out, "open O_DIRECT "+file+": EINVAL")
	}
	require.NoFileExists(t, file)
}

func TestClocksAreOffsetByATimeNamespace(t *testing.T) {
	needRoot(t)
	read := func(cmd *exec.Cmd) (real, mono, boot float64) {
		out, status := outcomeOf(t, cmd)
		require.Zero(t, status, out)
		_, err := fmt.Sscanf(out, "realtime %f\nmonotonic %f\nboottime %f\n", &real, &mono, &boot)
		require.NoError(t, err, out)
		return real, mono, boot
	}
	real, _, boot := read(exec.Command(probe, "clock"))
	realIn, _, bootIn := read(exec.Command("unshare", "--time", "--fork", "--boottime", "5000", probe, "clock"))
	require.InDelta(t, 5000, bootIn-boot, 60)
	require.InDelta(t, real, realIn, 60)
}

func TestIDs(t *testing.T) {
	needRoot(t)
	out, status := outcomeOf(t, exec.Command("setpriv", "--reuid=65534", "--regid=65534",
		"--groups=7,8", "--no-new-privs", probe, "ids"))
	require.Zero(t, status, out)
	require.Equal(t, "uid 65534 euid 65534\ngid 65534 egid 65534\ngroups 7 8\n"+
		"NoNewPrivs 1\nSeccomp 0 (disabled)\nCapEff none\n", out)
}

func TestCapNames(t *testing.T) {
	require.Equal(t, []string{"none"}, capNames(0))
	require.Equal(t, []string{"all"}, capNames(1<<41-1))
	require.Equal(t, []string{"CAP_CHOWN", "CAP_CHECKPOINT_RESTORE"}, capNames(1|1<<40))
	require.Equal(t, []string{"CAP_SYS_ADMIN"}, capNames(1<<21))
}

func TestBytesOf(t *testing.T) {
	for in, want := range map[string]int{"1": 1, "4096": 4096, "64K": 64 << 10, "128M": 128 << 20, "1G": 1 << 30} {
		got, err := bytesOf(in)
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
	for _, in := range []string{"", "M", "-1M", "0", "1T", "M1", "1MM", "9999999G"} {
		_, err := bytesOf(in)
		require.ErrorIs(t, err, errUsage, in)
	}
}
