package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What makes a start slow is not linked.
func TestSmall(t *testing.T) {
	list := exec.Command("go", "list", "-deps", ".")
	list.Stderr = os.Stderr
	text, err := list.Output()
	require.NoError(t, err)
	deps := strings.Fields(string(text))
	require.Contains(t, deps, "cutaway/sandbox")
	for _, heavy := range []string{"cutaway/stages", "cutaway/vm", "cutaway/sandbox/image", "cutaway/sandbox/trace", "net/http", "crypto/tls",
		"text/template", "html/template", "github.com/spf13/cobra", "github.com/yuin/goldmark", "github.com/klauspost/compress/zstd"} {
		require.NotContains(t, deps, heavy)
	}
}

// A container of an image that is here is run by the program in front, and anything
// else by the whole one; what it prints is the same.
func TestWhoRuns(t *testing.T) {
	bin, err := filepath.Abs("../../bin/cutaway")
	require.NoError(t, err)
	require.FileExists(t, bin, "make build makes it")
	state := t.TempDir()
	require.NoError(t, os.Chmod(state, 0o711))
	require.NoError(t, os.Chmod(filepath.Dir(state), 0o711)) // a container's root, who is nobody here, goes through
	whole := "/memfd:cutaway (deleted)"
	run := []string{"run", "--in", "host", "--net", "none", "-i"}
	for _, c := range []struct {
		what, exe string
		before    []string // of the verb
		flags     []string
	}{
		{"the image is not here yet", whole, nil, run},
		{"now it is", bin, nil, run},
		{"now it is", bin, nil, append(run, "--state="+state)},
		{"a flag that only the other knows", whole, []string{"--color", "never"}, run},
		{"a flag that only the other knows", whole, nil, append(run, "--share", "")},
	} {
		args := append(append([]string{"--state", state}, c.before...), c.flags...)
		require.Equal(t, c.exe, runner(t, bin, args), "%s: %q", c.what, args)
	}
}

// runner runs a container that waits, and gives the program that waits for it.
func runner(t *testing.T, bin string, args []string) string {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, bin, append(args, "built-in", "sh", "-c", "echo begun; cat")...)
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	require.NoError(t, err)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "begun\n", line)
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", c.Process.Pid))
	require.NoError(t, err)
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", c.Process.Pid))
	require.NoError(t, err)
	require.Equal(t, "cutaway\n", string(name))
	require.NoError(t, in.Close())
	require.NoError(t, c.Wait())
	return exe
}

// A machine may refuse to execute what is in memory: memfd_create(2), "vm.memfd_noexec".
// Each PID namespace has its own setting.
func TestNoMemory(t *testing.T) {
	const setting = "/proc/sys/vm/memfd_noexec"
	if _, err := os.Stat(setting); err != nil {
		t.Skipf("%v: it is there since Linux 6.3", err)
	}
	refused := exec.CommandContext(t.Context(), "unshare", "--pid", "--fork", "--mount-proc", "sh", "-ec",
		"echo 2 >"+setting+"; ../../bin/cutaway --version; TMPDIR=/proc ../../bin/cutaway --version")
	said, err := refused.CombinedOutput()
	var status *exec.ExitError
	require.ErrorAs(t, err, &status, "%s", said)
	require.Regexp(t, `^cutaway version .*\ncutaway: memfd_create cutaway: permission denied\ncutaway: make a file in /proc: `, string(said))
}

// What the two programs arrange with the scheduler while a container starts is over
// when its payload begins.
func TestPayloadIsAsScheduledAsWeAre(t *testing.T) {
	bin, err := filepath.Abs("../../bin/cutaway")
	require.NoError(t, err)
	require.FileExists(t, bin, "make build makes it")
	const look = "grep Cpus_allowed_list /proc/self/status; cat /proc/self/timerslack_ns"
	run := []string{bin, "run", "--in", "host", "--net", "none", "-u", "0", "built-in", "sh", "-c", look}
	for _, with := range [][]string{nil, {"taskset", "-c", "0"}} {
		ours, theirs := append(with[:len(with):len(with)], "sh", "-c", look), append(with[:len(with):len(with)], run...)
		require.Equal(t, output(t, ours), output(t, theirs), "%q", with)
	}
}

func output(t *testing.T, argv []string) string {
	c := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	c.Stderr = os.Stderr
	out, err := c.Output()
	require.NoError(t, err, "%q", argv)
	return string(out)
}
