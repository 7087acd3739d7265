package exercises

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestExercises proves of every exercise what Verify promises, and says how many
// there are.
func TestExercises(t *testing.T) {
	require.Zero(t, os.Geteuid(), "this test needs root")
	bin, err := filepath.Abs("../bin")
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(bin, "cutaway"), "make build makes it")
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	all, err := All()
	require.NoError(t, err)
	var tally Tally
	wrong := 0
	for _, e := range all {
		found, err := filepath.Glob(filepath.Join(filepath.FromSlash(e.Slug), "wrong", "*"))
		require.NoError(t, err)
		require.NotEmpty(t, found, "%s has no wrong answer", e.Slug)
		wrong += len(found)
		t.Run(e.Slug, func(t *testing.T) { require.NoError(t, tally.Verify(t.Context(), e)) })
	}
	t.Logf("%d exercises, %d solutions passed, %d wrong answers caught", tally.Exercises, tally.Solutions, tally.Wrong)
	require.Equal(t, Tally{Exercises: len(all), Solutions: len(all), Wrong: wrong}, tally)
}

// A verification that finds nothing wrong with a wrong exercise is worth
// nothing.
func TestVerifyCanFail(t *testing.T) {
	const exercise = `{"title": "t", "kind": "do", "params": {"n": "number 20000 60000"}, "process": "sleep {{n}}",
		"checks": [{"want": "its own UTS namespace", "fact": "process.uts", "must": {"not": "{{host}}"}, "causes": [{"says": "because"}]}]}`
	course := func(change string, text string) fstest.MapFS {
		c := fstest.MapFS{}
		for name, text := range map[string]string{"exercise.json": exercise, "task.md": "do it", "hints.md": "so",
			"solution.sh": "unshare --uts sleep {{n}} &", "wrong/a.sh": "# says: because\nsleep {{n}} &"} {
			c["03-uts/x/"+name] = &fstest.MapFile{Data: []byte(text)}
		}
		c["03-uts/x/"+change] = &fstest.MapFile{Data: []byte(text)}
		return c
	}
	verify := func(c fstest.MapFS) error {
		all, err := Read(c)
		if err != nil {
			return err
		}
		return (&Tally{Settle: time.Second}).Verify(context.Background(), all[0])
	}
	require.NoError(t, verify(course("task.md", "do it")))
	require.ErrorContains(t, verify(course("setup.sh", "unshare --uts sleep {{n}} &")), "unsolved: it passes")
	require.ErrorContains(t, verify(course("solution.sh", "sleep {{n}} &")), "does not pass")
	require.ErrorContains(t, verify(course("wrong/a.sh", "# says: because\nunshare --uts sleep {{n}} &")), "a.sh: it passes")
	require.ErrorContains(t, verify(course("wrong/a.sh", "# says: something else\nsleep {{n}} &")), "is not told")
	require.ErrorContains(t, verify(course("wrong/a.sh", "sleep {{n}} &")), "first line")
	require.ErrorContains(t, verify(course("exercise.json", `{"title": "t"}`)), "a kind of")
	require.ErrorContains(t, verify(course("exercise.json", `{"titel": "t"}`)), "unknown field")
}

// Whoever gives up while the set-up is under way finds nothing of it afterwards.
func TestStartGivenUp(t *testing.T) {
	made := filepath.Join(t.TempDir(), "made")
	c := fstest.MapFS{}
	for name, text := range map[string]string{"task.md": "do it", "hints.md": "so", "solution.sh": "true", "wrong/a.sh": "# says: because\ntrue",
		"exercise.json": `{"title": "t", "kind": "do", "params": {"n": "number 20000 60000"}, "process": "sleep {{n}}", "checks": [{"want": "its own UTS namespace", "fact": "process.uts", "must": {"not": "{{host}}"}, "causes": [{"says": "because"}]}]}`,
		"setup.sh":      "touch " + made + "; sleep 1000", "clean.sh": "rm " + made} {
		c["03-uts/x/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	all, err := Read(c)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for _, err := os.Stat(made); err != nil; _, err = os.Stat(made) {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	_, err = Start(ctx, all[0], t.TempDir())
	require.Error(t, err)
	require.NoFileExists(t, made)
}

func TestFind(t *testing.T) {
	all := []Exercise{{Slug: "03-uts/rename"}, {Slug: "04-pid/one"}, {Slug: "04-pid/two"}}
	for _, word := range []string{"03-uts/rename", "rename", "3", "03", "uts", "03-uts"} {
		e, err := Find(all, word)
		require.NoError(t, err, word)
		require.Equal(t, "03-uts/rename", e.Slug)
	}
	_, err := Find(all, "pid")
	require.ErrorContains(t, err, "any of 2")
	_, err = Find(all, "x")
	require.ErrorContains(t, err, "there is none")
}
