package stages

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"cutaway/sandbox/features"

	"github.com/stretchr/testify/require"
)

// TestOrdinaryUserOfAnotherNumber has a user whose group has another number than
// they have make a container: each of its maps has the one id that is theirs.
func TestOrdinaryUserOfAnotherNumber(t *testing.T) {
	f, err := features.Detect()
	require.NoError(t, err)
	if err := f.HaveOverlayInUserNS(); err != nil {
		t.Skip(err)
	}
	const uid, gid = 1234, 5678
	home := stateDir(t)
	require.NoError(t, os.Chown(home, uid, gid))
	program, err := os.Open(cutaway) // by descriptor: only root may look where it is
	require.NoError(t, err)
	defer program.Close()
	cmd := exec.CommandContext(t.Context(), "/proc/self/fd/3", "run", "--in", "host", "--state", filepath.Join(home, "state"),
		"--net", "none", "--user", "0:0", "built-in", "sh", "-c", "cat /proc/self/uid_map /proc/self/gid_map; touch /tmp/mine; stat -c %u:%g /tmp/mine")
	cmd.ExtraFiles = []*os.File{program}
	cmd.Dir, cmd.Env = "/", []string{"HOME=" + home, "XDG_RUNTIME_DIR=" + home}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: gid}}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, "0 1234 1 0 5678 1 0:0", strings.Join(strings.Fields(string(out)), " "))
}

// TestSubordinateIDs plays the stage where newuidmap is, which is not in a guest.
func TestSubordinateIDs(t *testing.T) {
	if why := noSubids(); why != "" {
		t.Fatalf("the test needs what vm/packages.sh install test installs: %s", why)
	}
	out := onMachine(t, user.Slug, "")
	require.Contains(t, out, "newuidmap: uid range [1-2) -> [0-1) not allowed")
	require.Contains(t, out, "two lines: root is this user")
}
