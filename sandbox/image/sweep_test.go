package image

import (
	"os"
	"path/filepath"
	"testing"

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
		path := s.path(parts...)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, nil, 0o644))
		return path
	}
	whole := file("layers", "uid1-gid1", "0123", "file")
	file("layers", "uid1-gid1", tempLayer+"0123", "file")
	file("layout", "index.json.new")
	file("tmp", "pull-1", "blob")
	at, err := s.stage() // sweeps tmp itself
	require.NoError(t, err)
	file("tmp", "pull-1", "blob")
	busy := file("layers", "uid2-gid2", tempLayer+"4567", "file")
	u := unpacking{dir: s.path("layers", "uid2-gid2")}
	unlock, err := u.lock(t.Context())
	require.NoError(t, err)
	file("layers", "uid2-gid2", tempLayer+"4567", "file")

	swept, err := Sweep(s.Dir())
	require.NoError(t, err)
	require.Equal(t, []string{s.path("tmp", "pull-1"), s.path("layers", "uid1-gid1", tempLayer+"0123"), s.path("layout", "index.json.new")}, swept)
	require.FileExists(t, whole)
	require.FileExists(t, busy)
	require.DirExists(t, at.dir)
	unlock()
	swept, err = Sweep(s.Dir())
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Dir(busy)}, swept)
}
