package store

import (
	"os"
	"path/filepath"
	"testing"

	"cutaway/sandbox/sys"

	"github.com/stretchr/testify/require"
)

// What killed processes have left is removed, what somebody works on is not.
func TestSweep(t *testing.T) {
	none, err := Sweep(filepath.Join(t.TempDir(), "never"))
	require.NoError(t, err)
	require.Empty(t, none)

	s, err := Open(t.TempDir())
	require.NoError(t, err)
	file := func(parts ...string) string {
		path := s.Path(parts...)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, nil, 0o644))
		return path
	}
	whole := file("layers", "uid1-gid1", "0123", "file")
	file("layers", "uid1-gid1", TempLayer+"0123", "file")
	file("layout", "index.json.new")
	file("tmp", "pull-1", "blob")
	staging := filepath.Dir(file("tmp", "pull-2", "blob"))
	locked, err := sys.OpenDirectory(staging)
	require.NoError(t, err)
	require.NoError(t, locked.Flock(true))
	defer locked.Close()
	other := Owner{UIDBase: 2, GIDBase: 2}
	unlock, err := s.LockLayers(t.Context(), other)
	require.NoError(t, err)
	busy := file("layers", "uid2-gid2", TempLayer+"4567", "file")

	swept, err := Sweep(s.Dir())
	require.NoError(t, err)
	require.Equal(t, []string{s.Path("tmp", "pull-1"), s.Path("layers", "uid1-gid1", TempLayer+"0123"), s.Path("layout", "index.json.new")}, swept)
	require.FileExists(t, whole)
	require.FileExists(t, busy)
	require.DirExists(t, staging)
	unlock()
	swept, err = Sweep(s.Dir())
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Dir(busy)}, swept)
}
