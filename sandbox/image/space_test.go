package image

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/stretchr/testify/require"
)

// A full disk is a clear error, and what was written goes. The test runs itself
// again in a mount namespace of its own, where small file systems cost nothing.
func TestFullDisk(t *testing.T) {
	const inside = "CUTAWAY_TEST_FULL_DISK"
	if os.Getenv(inside) == "" {
		cmd := exec.CommandContext(limited(t), "/proc/self/exe", "-test.run=^TestFullDisk$", "-test.v")
		cmd.Env = append(os.Environ(), inside+"=1")
		// Unshareflags also makes / private, so that nothing is seen outside.
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "--- PASS: TestFullDisk")
		return
	}
	small := t.TempDir()
	require.NoError(t, syscall.Mount("tmpfs", small, "tmpfs", 0, "size=64k"))
	defer syscall.Unmount(small, syscall.MNT_DETACH)
	s, err := Open(filepath.Join(small, "store"))
	require.NoError(t, err)
	clean := inventory(t, s.Dir())

	b := misbehave(t, honest)
	_, err = s.Pull(limited(t), b.ref("1"), PullOptions{})
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.EqualError(t, err, "pull "+b.ref("1")+": write blob "+b.layer.Digest.String()+": ENOSPC: no space left on device")
	require.Contains(t, hintOf(err), "make room on the file system of "+s.Dir())
	require.Equal(t, clean, inventory(t, s.Dir()))

	// Small enough to be stored, too large to be unpacked.
	layer, err := gzipLayer([]entry{program("bomb", make([]byte, 1<<20))})
	require.NoError(t, err)
	bomb, err := mutate.AppendLayers(empty.Image, layer)
	require.NoError(t, err)
	_, err = s.Add(limited(t), "bomb:1", bomb)
	require.NoError(t, err)
	stored := inventory(t, s.Dir())
	img, err := s.Get("bomb:1")
	require.NoError(t, err)
	_, err = s.Unpack(limited(t), img, Owner{})
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.ErrorContains(t, err, `unpack "bomb" of layer `+img.Layers[0].Digest+": ENOSPC: no space left on device")
	require.Contains(t, hintOf(err), "make room")
	require.NoError(t, os.Remove(s.Path("layers", "plain")))
	require.Equal(t, stored, inventory(t, s.Dir()))

	flat := filepath.Join(small, "flat")
	err = s.Flatten(limited(t), img, Owner{}, flat)
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.Contains(t, hintOf(err), flat)
	require.NoDirExists(t, flat)

	// No room for the new index: the image is not there, and no blob of it.
	staged, err := s.stage()
	require.NoError(t, err)
	entry, err := staged.addImage(limited(t), build(t, someParts()))
	require.NoError(t, err)
	require.ErrorIs(t, os.WriteFile(filepath.Join(small, "ballast"), make([]byte, 64<<10), 0o600), syscall.ENOSPC)
	_, err = staged.commit(newEntry("late:1", entry, entry))
	require.ErrorIs(t, err, syscall.ENOSPC)
	staged.discard()
	require.Equal(t, stored, inventory(t, s.Dir()))
}
