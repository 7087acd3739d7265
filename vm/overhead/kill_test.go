package overhead

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"cutaway/sandbox"

	"github.com/stretchr/testify/require"
)

// Killed at any moment, a comparison leaves what clean removes, and no process but
// perhaps a half made one of bubblewrap's; asked to end, it leaves nothing at all.
func TestKilled(t *testing.T) {
	l := lab(t)
	ours := program(t)
	for _, one := range []struct {
		signal syscall.Signal
		after  time.Duration
	}{{syscall.SIGKILL, 150 * time.Millisecond}, {syscall.SIGKILL, 1200 * time.Millisecond}, {syscall.SIGTERM, 900 * time.Millisecond}} {
		cmd := exec.Command(ours, "--state", l.Dirs.Data, "compare", "--only", "cpu,io", "--format", "json")
		var out, said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &said
		require.NoError(t, cmd.Start())
		time.Sleep(one.after)
		require.NoError(t, cmd.Process.Signal(one.signal))
		require.Error(t, cmd.Wait(), "it was ended before it was done")
		require.Empty(t, out.String(), "half a result is none")

		require.Eventually(t, func() bool {
			return !slices.ContainsFunc(namedProcesses(t, l.Dirs.Data), func(line string) bool { return !strings.Contains(line, "bwrap") })
		}, 20*time.Second, 20*time.Millisecond, "%s after %s: %v", one.signal, one.after, namedProcesses(t, l.Dirs.Data))
		if one.signal == syscall.SIGTERM {
			require.Equal(t, 128+int(syscall.SIGTERM), cmd.ProcessState.ExitCode(), said.String())
			require.Empty(t, append(leftOf(t, l), namedProcesses(t, l.Dirs.Data)...), "after %s", one.after)
		}
		_, err := l.Clean()
		require.NoError(t, err)
		require.Empty(t, append(leftOf(t, l), namedProcesses(t, l.Dirs.Data)...), "%s after %s", one.signal, one.after)
	}
}

// namedProcesses are those that were started with a path below dir.
func namedProcesses(t *testing.T, dir string) (found []string) {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, file := range files {
		if line, err := os.ReadFile(file); err == nil && bytes.Contains(line, []byte(dir)) {
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}

// leftOf is what there is of a lab but its images: containers, comparisons,
// journals, groups.
func leftOf(t *testing.T, l *sandbox.Lab) (left []string) {
	patterns := []string{l.Dirs.Container("*"), l.Dirs.Journal("*")}
	for _, mount := range l.Features.Cgroup.Mounts {
		patterns = append(patterns, filepath.Join(mount, "cutaway"), filepath.Join(mount, "cutaway-compare-*"))
	}
	for _, p := range patterns {
		found, err := filepath.Glob(p)
		require.NoError(t, err)
		left = append(left, found...)
	}
	return left
}
