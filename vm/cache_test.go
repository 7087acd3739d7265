package vm

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPruneKeepsWhatIsUsed(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	for _, name := range []string{"new", "old", "old-but-used"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o644))
	}
	for _, name := range []string{"old", "old-but-used"} {
		require.NoError(t, os.Chtimes(filepath.Join(dir, name), now, now.Add(-2*kept)))
	}
	require.True(t, used(filepath.Join(dir, "old-but-used")))
	require.False(t, used(filepath.Join(dir, "never-made")))
	require.NoError(t, prune(dir))
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(dir, "new"), filepath.Join(dir, "old-but-used")}, left)
}

// Two that want to fetch the same take turns, and what a killed one has left goes.
func TestAlone(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "new-1234/lists"), 0o755))
	release, err := alone(testContext(t), dir)
	require.NoError(t, err)
	require.NoDirExists(t, filepath.Join(dir, "new-1234"))
	impatient, cancel := context.WithTimeoutCause(testContext(t), 150*time.Millisecond, errors.New("no patience"))
	defer cancel()
	_, err = alone(impatient, dir)
	require.ErrorContains(t, err, "another cutaway that works in "+dir+": no patience")
	release()
	release, err = alone(testContext(t), dir)
	require.NoError(t, err)
	release()
}

// A full disk is told as one, with the way out, and nothing half written stays.
func TestNoRoomInTheCache(t *testing.T) {
	if os.Getenv(fullDisk) == "" {
		// A disk that is full wants a mount; in a user namespace anybody has one.
		self, err := os.Executable()
		require.NoError(t, err)
		again := exec.CommandContext(testContext(t), self, "-test.run=^TestNoRoomInTheCache$", "-test.v")
		again.Env = append(os.Environ(), fullDisk+"="+t.TempDir())
		again.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}, GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}}
		out, err := again.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return
	}
	cache := os.Getenv(fullDisk)
	require.NoError(t, syscall.Mount("tmpfs", cache, "tmpfs", 0, "size=1m"))
	t.Setenv("XDG_CACHE_HOME", cache)

	_, err := FindKernel(testContext(t), KernelSource{Series: "6.1"}) // refuses to begin
	var full *CacheError
	require.ErrorAs(t, err, &full)
	require.ErrorContains(t, err, "MiB are free, and 300 are needed")
	require.Contains(t, full.Hint(), "XDG_CACHE_HOME")

	dir, err := cacheDir("initramfs")
	require.NoError(t, err)
	err = writeWhole(filepath.Join(dir, "big"), func(w io.Writer) error {
		_, err := w.Write(make([]byte, 4<<20))
		return err
	})
	require.ErrorAs(t, err, &full)
	require.ErrorIs(t, err, syscall.ENOSPC)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

// fullDisk is where the test of a full disk has its second process mount one.
const fullDisk = "CUTAWAY_TEST_FULL_DISK"
