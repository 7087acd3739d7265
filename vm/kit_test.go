package vm

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestKit packs a kit and starts from it as in a room without network: in a
// network namespace with no link that is up, as an ordinary user with nothing in
// the home directory. What the kit lacks could only be fetched, and is missed.
func TestKit(t *testing.T) {
	require.Zero(t, os.Geteuid(), "this test needs root, to be somebody else")
	archive := filepath.Join(t.TempDir(), "kit.tar.gz")
	pack := exec.CommandContext(t.Context(), "./kit.sh", archive)
	said, err := pack.CombinedOutput()
	require.NoError(t, err, "%s", said)

	const nobody = 65534
	home := t.TempDir()
	require.NoError(t, os.Chown(home, nobody, nobody))
	require.NoError(t, os.Chmod(filepath.Dir(home), 0o755)) // the test's, and closed to others
	isolated := func(name string, args ...string) string {
		var out, problems bytes.Buffer
		c := exec.CommandContext(t.Context(), name, args...)
		c.Dir, c.Env = home, []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}
		c.Stdout, c.Stderr = &out, &problems
		c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET,
			Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		require.NoError(t, c.Run(), "%s%s", &out, &problems)
		return out.String()
	}
	isolated("tar", "-xzf", archive)
	cutaway := filepath.Join(home, "cutaway-kit/bin/cutaway")
	out := isolated(cutaway, "tour", "--to", "03", "--auto")
	require.Regexp(t, `\n 4 stages, .*\n[^$]*\n [0-9]+ observations, all as expected\n host before = host after: yes `, out)

	// Its kernel is the kit's, and the cache has none.
	kernels, err := filepath.Glob(home + "/cutaway-kit/bin/kernels/*/vmlinuz")
	require.NoError(t, err)
	require.Contains(t, kernels[0], isolated(cutaway, "vm", "run", "--", "sh", "-c", `printf %s "$(uname -r)"`))
	require.NoDirExists(t, filepath.Join(home, ".cache/cutaway/kernels"))
	require.DirExists(t, filepath.Join(home, ".cache/cutaway/initramfs"))
}
