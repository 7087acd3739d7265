package stages

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"cutaway/sandbox"
	"cutaway/sandbox/image"
	"cutaway/sandbox/inspect"
	"cutaway/sandbox/sys"
	"cutaway/sandbox/trace"

	"github.com/stretchr/testify/require"
)

// A kill test runs this test binary once more, to play a stage and die by
// SIGKILL before a step. These variables tell the second process so.
const (
	dieAtStep  = "CUTAWAY_TEST_DIE_AT_STEP"
	dieState   = "CUTAWAY_TEST_STATE"
	dieStage   = "CUTAWAY_TEST_STAGE"
	finished   = 42 // its exit status when it was not killed: there is no such step
	killPeriod = time.Minute
)

func TestMain(m *testing.M) {
	if step, err := strconv.Atoi(os.Getenv(dieAtStep)); err == nil {
		os.Exit(playAndDie(os.Getenv(dieStage), os.Getenv(dieState), step))
	}
	os.Exit(alone(m.Run))
}

// alone runs tests while no other test of the lab does: they compare what the
// host was with what it is.
func alone(run func() int) int {
	lock, err := os.OpenFile(filepath.Join(os.TempDir(), "cutaway-test.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		defer lock.Close()
		err = sys.Lock(lock)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return run()
}

func playAndDie(slug, state string, step int) int {
	s, err := Find(slug)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	l, store, err := openLab(state)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	asked := 0
	r := Runner{Lab: l, Store: store, All: true, Program: cutaway}
	r.Pause = func(context.Context, trace.Preview) (trace.Decision, error) {
		if asked++; asked == step {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		return trace.Go, nil
	}
	if err := r.Run(context.Background(), s); err != nil {
		fmt.Println(err)
		return 1
	}
	return finished
}

func openLab(state string) (*sandbox.Lab, *image.Store, error) {
	l, err := sandbox.New(state)
	if err != nil {
		return nil, nil, err
	}
	store, err := image.Open(l.Dirs.Images())
	return l, store, err
}

// stateDir is a place for the lab that a container's root, who is nobody on the
// host, can find its way into.
func stateDir(t *testing.T) string {
	t.Helper()
	state, err := os.MkdirTemp("", "cutaway-stages-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(state, 0o711))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(state)) })
	return state
}

// TestKilled kills the lab before every step of a container with everything in
// it. Each time the container is gone at once, and cleaning up makes the host
// what it was.
func TestKilled(t *testing.T) {
	state := stateDir(t)
	l, _, err := openLab(state)
	require.NoError(t, err)
	// Once through, so that the trees that are kept exist before the comparison.
	require.Equal(t, finished, play(t, state, overlay.Slug, -1))
	before := look(t, l)
	kills := 0
	for step := 1; ; step++ {
		status := play(t, state, overlay.Slug, step)
		if status == finished {
			break
		}
		require.Equal(t, -1, status, "step %d: not killed", step)
		kills++
		records, err := l.Records()
		require.NoError(t, err)
		for _, r := range records {
			require.False(t, r.Live)
			require.Eventually(t, func() bool {
				again, err := l.Find(r.ID)
				return err != nil || again.PID == 0 // not found: somebody cleaned up already
			}, time.Second, time.Millisecond, "step %d: init outlives cutaway", step)
		}
		_, err = l.Clean()
		require.NoError(t, err, "step %d", step)
		require.Empty(t, inspect.Compare(before, look(t, l)), "step %d: left behind", step)
	}
	require.Greater(t, kills, 40)
	t.Logf("%d kills, 0 leaks", kills)
}

func look(t *testing.T, l *sandbox.Lab) *inspect.Snapshot {
	t.Helper()
	snapshot, err := inspect.Take(context.Background(), l.Scope())
	require.NoError(t, err)
	return snapshot
}

// play gives the exit status of the second process, -1 if it was killed.
func play(t *testing.T, state, slug string, step int) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), killPeriod)
	defer cancel()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), dieAtStep+"="+strconv.Itoa(step), dieState+"="+state, dieStage+"="+slug)
	out, err := cmd.CombinedOutput()
	if _, failed := err.(*exec.ExitError); err != nil && !failed {
		t.Fatal(err)
	}
	if status := cmd.ProcessState.ExitCode(); status == 1 || status == 2 {
		t.Fatalf("step %d: %s", step, out)
	}
	return cmd.ProcessState.ExitCode()
}
