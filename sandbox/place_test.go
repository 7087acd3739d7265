package sandbox

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a killed run has left running in a place is ended by clean, and nothing of
// a place that is in use.
func TestCleanEndsWhatCarriesTheMarkOfAPlace(t *testing.T) {
	l, err := New(t.TempDir())
	require.NoError(t, err)
	start := func() (Place, *exec.Cmd) {
		p, err := l.ComparePlace()
		require.NoError(t, err)
		cmd := exec.CommandContext(t.Context(), "sleep", "1000")
		cmd.Env = append(os.Environ(), p.Mark())
		require.NoError(t, cmd.Start())
		return p, cmd
	}
	killed, left := start()
	live, used := start()
	require.NoError(t, killed.lock.Close(), "as if this process had ended")

	_, err = l.Clean()
	require.NoError(t, err)
	require.NoDirExists(t, killed.Dir)
	require.Error(t, left.Wait(), "it was killed, and perhaps reaped as well")
	require.Empty(t, strays(filepath.Base(killed.Dir)))
	require.Equal(t, []int{used.Process.Pid}, strays(filepath.Base(live.Dir)))

	require.NoError(t, live.Remove())
	require.Error(t, used.Wait(), "it was ended with its place")
}
