package stages

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// unmask takes what the lab has put over /proc and /sys of a container away
// again, which its root may: the kernel mounts a new proc only where it can see
// all of one.
const unmask = `for m in $(grep -E ' /(proc|sys)/' /proc/mounts | cut -d' ' -f2); do umount $m; done
`

// inside is a cutaway that has a container, with the rights to have one in it,
// run a script. A lab's own files cannot lie on the overlay that is its root.
func (k *killer) inside(script string) *exec.Cmd {
	program, err := filepath.Abs(cutaway)
	require.NoError(k, err)
	return exec.CommandContext(k.Context(), cutaway, "--state", k.l.Dirs.Data, "run", "--in", "host", "--user", "0", "--cap-add", "all",
		"--security-opt", "seccomp=unconfined", "--tmpfs", "/var/lib/cutaway", "--tmpfs", "/run",
		"-v", filepath.Dir(program)+":/lab:ro", "built-in", "sh", "-c", script)
}

// TestLabInALab plays a stage in a container of the lab. It has the same
// outcome there, and nothing is left in the container or on the machine; nor is
// it when both are killed.
func TestLabInALab(t *testing.T) {
	l, store, err := openLab(stateDir(t))
	require.NoError(t, err)
	if err := container.Lacks(l.Features); err != nil {
		t.Skip(err)
	}
	k := killer{T: t, l: l, store: store, stage: container}
	k.through()
	const look = `$(cat /proc/mounts; ip -o link | cut -d: -f2)`
	out, err := k.inside(unmask + `before="` + look + `"
		/lab/cutaway stage user --in host -- cat /proc/self/uid_map /proc/1/comm || exit
		/lab/cutaway clean; ls /run/cutaway /var/lib/cutaway/containers; [ "$before" = "` + look + `" ] && echo as before`).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Regexp(t, `\n +0 +32768 +32768\ncat\n`, string(out), "the upper half of the ids that there are")
	require.Regexp(t, `\nnothing to clean\n/run/cutaway:\nlock\n\n/var/lib/cutaway/containers:\nas before\n$`, string(out))
	k.compare("a lab in a lab", 0)

	const payload = "sleep\x00987654\x00"
	cmd := k.inside(unmask + "/lab/cutaway stage user --in host -- sleep 987654")
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool { return running(t, payload) }, time.Minute, 10*time.Millisecond)
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	_, err = l.Clean()
	require.NoError(t, err)
	require.False(t, running(t, payload))
	k.compare("a lab in a lab, killed", 0)
}

// running reports whether a process has this command line.
func running(t *testing.T, line string) bool {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, f := range files {
		if text, err := os.ReadFile(f); err == nil && string(text) == line {
			return true
		}
	}
	return false
}
