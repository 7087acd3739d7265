package sys

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFilesAs(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	const nobody = 65534
	theirs, roots := t.TempDir(), t.TempDir()
	// Up to the two, everybody may look.
	require.NoError(t, os.Chmod(filepath.Dir(theirs), 0o755))
	require.NoError(t, os.Chown(theirs, nobody, nobody))
	file := filepath.Join(theirs, "file")
	require.NoError(t, FilesAs(nobody, nobody, func() error { return os.WriteFile(file, nil, 0o644) }))
	st, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, uint32(nobody), st.Sys().(*syscall.Stat_t).Uid)
	require.Equal(t, uint32(nobody), st.Sys().(*syscall.Stat_t).Gid)

	// Not where they may not write, not even through a link of theirs.
	require.NoError(t, os.Symlink(filepath.Join(roots, "file"), filepath.Join(theirs, "link")))
	err = FilesAs(nobody, nobody, func() error { return os.WriteFile(filepath.Join(theirs, "link"), nil, 0o644) })
	require.ErrorIs(t, err, syscall.EACCES)
	require.NoError(t, os.WriteFile(filepath.Join(roots, "mine"), nil, 0o644), "root is root again")
}
