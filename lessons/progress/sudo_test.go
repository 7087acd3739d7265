package progress

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// noteAs adds a line as Note does.
func noteAs(path string) error {
	return asPerson(func() error { return add(path, []byte("{}\n")) })
}

// TestProgressIsThePersons plays what sudo leaves of somebody's environment.
func TestProgressIsThePersons(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	t.Setenv("XDG_STATE_HOME", "")
	t.Setenv("HOME", t.TempDir())

	t.Setenv("SUDO_UID", "")
	path, err := File()
	require.NoError(t, err)
	require.Equal(t, filepath.Join(os.Getenv("HOME"), ".local/state/cutaway/progress.jsonl"), path)

	// There is a user 1 everywhere.
	t.Setenv("SUDO_UID", "1")
	person := behindSudo()
	require.NotNil(t, person)
	path, err = File()
	require.NoError(t, err)
	require.Equal(t, filepath.Join(person.HomeDir, ".local/state/cutaway/progress.jsonl"), path)

	// What is noted belongs to them, and root writes nowhere they may not.
	theirs := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(theirs), 0o755))
	require.ErrorIs(t, noteAs(filepath.Join(theirs, "state/progress")), syscall.EACCES)
	require.NoError(t, os.Chown(theirs, 1, 1))
	require.NoError(t, noteAs(filepath.Join(theirs, "state/progress")))
	st, err := os.Stat(filepath.Join(theirs, "state/progress"))
	require.NoError(t, err)
	require.Equal(t, uint32(1), st.Sys().(*syscall.Stat_t).Uid)

	t.Setenv("SUDO_UID", "no number")
	require.Nil(t, behindSudo())
}
