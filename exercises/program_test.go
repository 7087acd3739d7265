package exercises

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
)

// attemptAt begins an exercise of kind write whose program is the one given.
func attemptAt(t *testing.T, text string) *Attempt {
	course := fstest.MapFS{}
	for name, text := range map[string]string{"task.md": "do it", "hints.md": "so", "start/main.go": text,
		"exercise.json": `{"title": "t", "kind": "write", "params": {"n": "number 20000 60000"}, "process": "sleep {{n}}", "args": "sleep {{n}}",
			"checks": [{"want": "it runs", "fact": "process.name", "must": {"is": "sleep"}}]}`} {
		course["03-uts/x/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	all, err := Read(course)
	require.NoError(t, err)
	a, err := Start(t.Context(), all[0], t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.End(t.Context())) })
	return a
}

const sleeps = `package main
import ("os"; "syscall")
func main() { panic(syscall.Exec("/bin/sleep", os.Args[1:], os.Environ())) }`

// What the learner's program does wrong is told as a finding, not as an error of
// the checker's.
func TestProgramDoesNotRun(t *testing.T) {
	for text, cause := range map[string]string{
		"package main\nfunc main() { x }":                        "the compiler names the line",
		"package main\nfunc main() { println(`mount: EINVAL`) }": "it ended before: mount: EINVAL",
		"package main\nfunc main() {}":                           "said nothing",
	} {
		findings, err := attemptAt(t, text).Check(t.Context())
		require.NoError(t, err)
		require.Len(t, findings, 1)
		require.Contains(t, findings[0].Cause, cause)
		require.NotEmpty(t, findings[0].Observed)
	}
}

// A program is run once, and once more when it is newer; without a compiler one
// that was built elsewhere is run.
func TestProgramIsBuiltWhenNewer(t *testing.T) {
	a := attemptAt(t, sleeps)
	pid := func() int {
		findings, err := a.Check(t.Context())
		require.NoError(t, err)
		require.True(t, a.Exercise.Passed(findings), "%+v", findings)
		pid, err := findProcess("sleep " + a.Params["n"])
		require.NoError(t, err)
		return pid
	}
	first := pid()
	require.Equal(t, first, pid())
	file := filepath.Join(a.Dir, source)
	require.NoError(t, os.Chtimes(file, time.Now(), time.Now()))
	second := pid()
	require.NotEqual(t, first, second)

	t.Setenv("PATH", "")
	require.NoError(t, a.End(t.Context()))
	third := pid()
	require.NotEqual(t, second, third)
	require.NoError(t, os.Chtimes(filepath.Join(a.Dir, program), time.Now(), time.Now().Add(time.Minute)))
	require.NotEqual(t, third, pid(), "of a program that was built elsewhere meanwhile")
	require.NoError(t, os.Chtimes(file, time.Now(), time.Now().Add(time.Hour)))
	_, err := a.Check(t.Context())
	var none *NoCompilerError
	require.ErrorAs(t, err, &none)
	require.Contains(t, none.Hint(), "microVM")
}

// To begin anew costs nobody his program.
func TestResetKeepsTheProgram(t *testing.T) {
	a := attemptAt(t, sleeps)
	file := filepath.Join(a.Dir, source)
	require.NoError(t, os.WriteFile(file, []byte("mine"), 0o644))
	a, err := a.Reset(t.Context())
	require.NoError(t, err)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, sleeps, string(text))
	text, err = os.ReadFile(file + ".before")
	require.NoError(t, err)
	require.Equal(t, "mine", string(text))
	require.NoFileExists(t, filepath.Join(a.Dir, program))
}
