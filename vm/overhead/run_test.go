package overhead

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"cutaway/sandbox"

	"github.com/stretchr/testify/require"
)

// program is the cutaway that make build has left, wholeProgram the one in it that has
// all verbs.
func program(t *testing.T) string      { return built(t, "../../bin/cutaway") }
func wholeProgram(t *testing.T) string { return built(t, "../../cmd/front/program/cutaway") }

func built(t *testing.T, path string) string {
	path, err := filepath.Abs(path)
	require.NoError(t, err)
	require.FileExists(t, path, "make build makes it")
	return path
}

// lab is one with a state directory of the test's own.
func lab(t *testing.T) *sandbox.Lab {
	dir, err := os.MkdirTemp("", "cutaway-overhead-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o711)) // a container's root, who is nobody here, goes through
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	l, err := sandbox.New(dir)
	require.NoError(t, err)
	return l
}

// measured is a real run of a few samples.
func measured(t *testing.T, only ...string) (*sandbox.Lab, *Result) {
	l := lab(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	r, err := Run(ctx, l, Options{Only: only, Program: program(t), Init: wholeProgram(t), Passes: 1, Rounds: 3, Boots: 1, Limit: 90 * time.Second})
	require.NoError(t, err)
	return l, r
}

// A run of a few samples has, of every contender that is here, every measure that
// was asked for; leaves nothing behind; and can be read again from its JSON.
func TestRun(t *testing.T) {
	l, r := measured(t, "start", "memory", "cpu")
	left, err := filepath.Glob(l.Dirs.Container("*"))
	require.NoError(t, err)
	require.Empty(t, left)

	for _, name := range []string{"process", "cutaway", "microVM"} {
		require.True(t, slices.ContainsFunc(r.Contenders, func(e Entry) bool { return e.Name == name }), "%s is not here: %v", name, r.Absent)
	}
	for _, e := range r.Contenders {
		for _, m := range []string{"start.first", "start.exit", "memory.pss"} {
			s := r.Find(m, e.Name)
			require.NotNil(t, s, "%s of %s: %v", m, e.Name, r.Absent)
			if e.Kind != Machine {
				require.Len(t, s.Samples, 3, "%s of %s: %v", m, e.Name, r.Absent)
			}
			require.NotEmpty(t, s.Samples, "%s of %s: %v", m, e.Name, r.Absent)
			for _, one := range s.Samples {
				require.Positive(t, one.Value)
			}
		}
		first, exit := r.Find("start.first", e.Name).Summary(), r.Find("start.exit", e.Name).Summary()
		require.LessOrEqual(t, first.Least, exit.Least, "%s ends after it has begun", e.Name)
	}
	process, machine := r.Find("memory.pss", "process").Summary(), r.Find("memory.pss", "microVM").Summary()
	require.Greater(t, machine.Median, 20*process.Median, "a machine has a kernel of its own")
	require.Less(t, machine.Median, 2.0*guestMemory)

	file := filepath.Join(t.TempDir(), "result.json")
	var b bytes.Buffer
	require.NoError(t, r.Write(&b))
	require.NoError(t, os.WriteFile(file, b.Bytes(), 0o644))
	again, err := Read(file)
	require.NoError(t, err)
	var c bytes.Buffer
	require.NoError(t, again.Write(&c))
	require.Equal(t, b.String(), c.String())

	b.Reset()
	require.NoError(t, again.Table(&b))
	narrow(t, b.String())
	require.Contains(t, b.String(), "microVM ("+r.Conditions.Accelerator+")", "a machine says by what it is run")
}

// A file that is no result says so, and how to get one.
func TestReadRefuses(t *testing.T) {
	for text, fact := range map[string]string{"": "EOF", "{}": "not a comparison", "[1]": "cannot unmarshal", `{"event":"compare","schema":9}`: "of form 9"} {
		file := filepath.Join(t.TempDir(), "a.json")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
		_, err := Read(file)
		require.ErrorContains(t, err, fact)
	}
	_, err := Read("/nowhere/a.json")
	require.EqualError(t, err, "read a comparison from /nowhere/a.json: no such file or directory")
}

// What a person reads says that the machine was busy, and what that did.
func TestLoadInWords(t *testing.T) {
	busy := func(others ...int) string {
		r := newResult(Options{})
		s := &Series{Measure: "start.first", Subject: "process"}
		for i := range 40 {
			others := others[i%len(others)]
			s.Samples = append(s.Samples, Sample{Value: 1 + float64(i%7)/10 + 3*float64(others)*float64(i%3), Pass: i / 10, Others: others})
		}
		r.Series = []*Series{s}
		return r.load()
	}
	require.Contains(t, busy(0), "nobody else wanted a processor")
	require.Contains(t, busy(2), "100 % of the runs, so many that nothing is left to compare with")
	require.Regexp(t, `50 % of the runs, and the intervals are [0-9.]+ times as wide`, busy(0, 2))
}

// Groups that are asked for are those that are measured.
func TestChosen(t *testing.T) {
	require.Empty(t, Unknown(Groups()))
	require.Equal(t, []string{"speed"}, Unknown([]string{"start", "speed"}))
	require.Len(t, chosen(nil), len(experiments))
	for _, g := range Groups() {
		require.Len(t, chosen([]string{g, g}), 1)
	}
	keys := map[string]bool{}
	for _, m := range Measures() {
		require.False(t, keys[m.Key], m.Key)
		keys[m.Key] = true
		require.NotEmpty(t, m.Means, m.Key)
		require.NotEmpty(t, m.Not, m.Key)
		require.Contains(t, Groups(), m.Group())
	}
}

// A sample is a number and where it belongs; the form is a contract.
func TestSampleForm(t *testing.T) {
	b, err := json.Marshal(Sample{1.5, 2, 3})
	require.NoError(t, err)
	require.JSONEq(t, `[1.5,2,3]`, string(b))
	var again Sample
	require.NoError(t, json.Unmarshal(b, &again))
	require.Equal(t, Sample{1.5, 2, 3}, again)
	require.Error(t, json.Unmarshal([]byte(`{"v":1}`), &again))
}
