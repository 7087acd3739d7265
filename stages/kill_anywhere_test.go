package stages

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"cutaway/sandbox/inspect"

	"github.com/stretchr/testify/require"
)

// TestKilledAnywhere kills cutaway at a random moment of each stage, while it
// looks as well as while it builds: then there are other containers, other
// programs, a registry.
func TestKilledAnywhere(t *testing.T) {
	l, store, err := openLab(stateDir(t))
	require.NoError(t, err)
	random, kills := newRandom(t), 0
	for _, s := range All {
		if s.Lacks(l.Features) != nil {
			continue
		}
		k := killer{T: t, l: l, store: store, stage: s}
		k.through()
		begin := time.Now()
		_ = k.play().Run() // whether it shows what it should is for other tests
		whole := time.Since(begin)
		k.before = settled(t, l)
		moment := k.killAfter(random, whole*3/4)
		k.compare(fmt.Sprintf("stage %s killed after %s,", s.Slug, moment), 0)
		kills += k.kills
	}
	require.Positive(t, kills)
	if !t.Failed() {
		figure(t, "%d kills at random moments, 0 leaks", kills)
	}
}

// TestKilledAtFirst kills cutaway in its first run, when it makes what is kept:
// what it had finished stays, and nothing that it had not.
func TestKilledAtFirst(t *testing.T) {
	if err := imageStage.Lacks(detect(t)); err != nil {
		t.Skip(err)
	}
	random := newRandom(t)
	for range 10 {
		l, store, err := openLab(stateDir(t))
		require.NoError(t, err)
		k := killer{T: t, l: l, store: store, stage: imageStage}
		before := look(t, l)
		moment := k.killAfter(random, 700*time.Millisecond)
		require.Empty(t, inspect.Compare(before, look(t, l)), "killed after %s", moment)
		for _, half := range []string{".*", "trees/.*", "images/tmp/*", "images/layers/*/.*", "images/layout/*.new"} {
			found, err := filepath.Glob(filepath.Join(l.Dirs.Data, half))
			require.NoError(t, err)
			require.Empty(t, found, "killed after %s", moment)
		}
	}
}

func newRandom(t *testing.T) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// killAfter kills cutaway somewhere in the first part of a stage, and cleans up.
func (k *killer) killAfter(random *rand.Rand, most time.Duration) time.Duration {
	moment := time.Duration(random.Int64N(int64(most)))
	cmd := k.play()
	require.NoError(k, cmd.Start())
	time.Sleep(moment)
	_ = cmd.Process.Kill() // it may have been faster this time
	if cmd.Wait() != nil {
		k.kills++
	}
	_, err := k.l.Clean()
	require.NoError(k, err)
	return moment
}

// play is cutaway as it plays the stage.
func (k *killer) play() *exec.Cmd {
	cmd := exec.CommandContext(k.Context(), cutaway, "--state", k.l.Dirs.Data, "stage", k.stage.Slug, "--in", "host")
	cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+k.TempDir())
	return cmd
}
