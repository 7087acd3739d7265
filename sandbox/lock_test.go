package sandbox

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// lockIn is the variable that has this test binary be a process with the lock of the
// lab there.
const lockIn = "CUTAWAY_TEST_LOCK"

// holdLock has it until its input ends, and says when it does.
func holdLock(dir string) error {
	l := &Lab{Dirs: Dirs{Run: dir}}
	return l.Locked(func() error {
		fmt.Println()
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	})
}

// Who waits for the lab's lock is told who has it, and what that one does.
func TestBusy(t *testing.T) {
	l := &Lab{Dirs: Dirs{Run: t.TempDir()}}
	holder := exec.Command("/proc/self/exe")
	holder.Env = append(os.Environ(), lockIn+"="+l.Dirs.Run)
	in, err := holder.StdinPipe()
	require.NoError(t, err)
	out, err := holder.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, holder.Start())
	_, err = out.Read(make([]byte, 1))
	require.NoError(t, err)

	never := func() error { t.Error("two have the lock"); return nil }
	var busy *BusyError
	require.ErrorAs(t, l.lockedWithin(50*time.Millisecond, never), &busy)
	require.Equal(t, holder.Process.Pid, busy.Holder)
	require.NotEmpty(t, busy.Name)
	require.False(t, busy.Stopped)

	require.NoError(t, holder.Process.Signal(syscall.SIGSTOP))
	require.Eventually(t, func() bool {
		require.ErrorAs(t, l.lockedWithin(time.Millisecond, never), &busy)
		return busy.Stopped
	}, 5*time.Second, time.Millisecond)
	require.Contains(t, busy.Error(), ", which is stopped, has had it for")

	// It lets go: whoever waits goes on.
	require.NoError(t, holder.Process.Signal(syscall.SIGCONT))
	require.NoError(t, in.Close())
	entered := false
	require.NoError(t, l.lockedWithin(5*time.Second, func() error { entered = true; return nil }))
	require.True(t, entered)
	require.NoError(t, holder.Wait())
}
