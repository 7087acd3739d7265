package stages

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cutaway/sandbox/inspect"

	"github.com/stretchr/testify/require"
)

// byHand is what a shell finds in the container that a script made, for each
// stage: a command, and what it prints. PIDs and the like are not compared.
var byHand = map[string][2]string{
	"00-process":    {"readlink /proc/self/ns/uts", "HOST-uts"},
	"01-chroot":     {"ls -d /www /boot 2>&1 | head -1", "ls: /boot: No such file or directory"},
	"02-mount":      {"ls -d /.old /www 2>&1 | tail -1", "/www"},
	"03-uts":        {"hostname", "cutaway"},
	"04-pid":        {"echo $$", "1"},
	"05-ipc":        {"[ \"$(readlink /proc/self/ns/ipc)\" = \"HOST-ipc\" ] || echo another", "another"},
	"06-net":        {"ping -c 1 -W 2 10.90.0.1 | grep -c '1 packets received'", "1"},
	"07-user":       {"id -u; cat /proc/self/uid_map | tr -s ' '", "0\n 0 100000 65536"},
	"08-cgroup":     {"(grep :pids: /proc/self/cgroup || cat /proc/self/cgroup) | cut -d: -f3", "/"},
	"09-time":       {"[ $(cut -d. -f1 /proc/uptime) -gt 604800 ] && echo ahead", "ahead"},
	"10-limits":     {"probe eat 128M > /dev/null 2>&1; echo $?", "137"},
	"11-devices":    {"wc -c < /proc/interrupts; stat -c %t:%T /dev/null", "0\n1:3"},
	"12-privileges": {"ulimit -n", "1024"},
	"13-overlay":    {"mount | grep -c 'overlay on / '", "1"},
	"14-image":      {"cat /proc/mounts | grep -o ':' | wc -l", "2"},
}

// TestScript runs what --script sh writes: the shell makes the same containers,
// and takes back what it made.
func TestScript(t *testing.T) {
	l, store, err := openLab(stateDir(t))
	require.NoError(t, err)
	r := Runner{Lab: l, Store: store}
	for _, s := range All {
		t.Run(s.Slug, func(t *testing.T) {
			text, err := r.Script(t.Context(), s)
			require.NoError(t, err)
			file := filepath.Join(t.TempDir(), "script")
			require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
			out, err := exec.Command("sh", "-n", file).CombinedOutput()
			require.NoError(t, err, "%s", out)
			probe, ok := byHand[s.Slug]
			if !ok || s.Lacks(l.Features) != nil {
				return // the last one runs what the image says, and that asks no questions
			}
			before := look(t, l)
			require.Equal(t, expand(t, probe[1]), runScript(t, file, expand(t, probe[0])+"\nexit 42\n"))
			require.Empty(t, inspect.Compare(before, look(t, l)))
		})
	}
}

// runScript feeds commands to the shell that a script ends in, and gives what
// they print; the exit status has to come through as well.
func runScript(t *testing.T, file, commands string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", file)
	cmd.Stdin = strings.NewReader(commands)
	// Told to end, it takes back what it made.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	require.True(t, errors.As(err, &exit), "%v", err)
	require.Equal(t, 42, exit.ExitCode(), "%s", stderr.String())
	return strings.TrimRight(string(out), "\n")
}

// expand puts in what only this machine knows: the host's namespaces.
func expand(t *testing.T, text string) string {
	t.Helper()
	for _, ns := range []string{"uts", "ipc"} {
		host, err := os.Readlink("/proc/self/ns/" + ns)
		require.NoError(t, err)
		text = strings.ReplaceAll(text, "HOST-"+ns, host)
	}
	return text
}

// TestScriptKilled ends a script in the middle: nothing is left either.
func TestScriptKilled(t *testing.T) {
	l, store, err := openLab(stateDir(t))
	require.NoError(t, err)
	r := Runner{Lab: l, Store: store}
	text, err := r.Script(t.Context(), limits)
	require.NoError(t, err)
	before := look(t, l)
	cmd := exec.Command("sh", "-c", text)
	in, err := cmd.StdinPipe() // open, so that the shell inside waits
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = in.Write([]byte("echo ready\n"))
	require.NoError(t, err)
	ready := make([]byte, 6)
	_, err = out.Read(ready)
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	require.Error(t, cmd.Wait())
	require.Equal(t, 130, cmd.ProcessState.ExitCode())
	require.Empty(t, inspect.Compare(before, look(t, l)))
}
