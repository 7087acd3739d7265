package sandbox

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"cutaway/sandbox/op"

	"github.com/stretchr/testify/require"
)

func TestJournal(t *testing.T) {
	d := Dirs{Run: t.TempDir(), Data: t.TempDir()}
	j, err := newJournal(d, Record{Version: journalVersion, ID: "abc123", Name: "web", Host: os.Getpid(), Started: time.Now()})
	require.NoError(t, err)
	dir := filepath.Join(d.Data, "x")
	require.NoError(t, j.before(op.Dir{Path: dir, Mode: 0o755}))
	require.NoError(t, j.born(os.Getpid()))

	t.Run("what was written is read", func(t *testing.T) {
		r, undo, _, err := readJournal(j.path)
		require.NoError(t, err)
		require.Equal(t, "web", r.Name)
		require.Equal(t, os.Getpid(), r.PID)
		require.Equal(t, []op.Undoer{op.Dir{Path: dir, Mode: 0o755}}, undo)
		require.False(t, abandoned(j.path), "its writer holds the lock")
	})
	t.Run("a line cut off in the middle was never acted on", func(t *testing.T) {
		cut := filepath.Join(t.TempDir(), "journal")
		whole, err := os.ReadFile(j.path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(cut, append(whole, `{"op":"bridge","data":{"li`...), 0o600))
		_, undo, _, err := readJournal(cut)
		require.NoError(t, err)
		require.Len(t, undo, 1)
		require.True(t, abandoned(cut))
	})
	t.Run("an operation of another version is an error, not a loss", func(t *testing.T) {
		odd := filepath.Join(t.TempDir(), "journal")
		require.NoError(t, os.WriteFile(odd, []byte("{\"version\":1,\"id\":\"x\"}\n{\"op\":\"warp\",\"data\":{}}\n"), 0o600))
		_, _, _, err := readJournal(odd)
		require.ErrorContains(t, err, `"warp"`)
	})
	t.Run("undoing takes it back and ends the journal", func(t *testing.T) {
		require.NoError(t, os.Mkdir(dir, 0o755))
		require.NoError(t, j.undo(nil))
		require.NoDirExists(t, dir)
		require.NoFileExists(t, j.path)
	})
}
