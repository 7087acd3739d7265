package kernels

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cutaway/exercises"
	"cutaway/vm"

	"github.com/stretchr/testify/require"
)

// handOut is what is called go in a guest that has no compiler: it hands out what
// was built of a text before. It is called as: go build FLAGS -o PROGRAM SOURCE.
const handOut = `#!/bin/sh
for source; do :; done
exec cp "/programs/$(sha256sum <"$source" | cut -c1-64)" main
`

// TestExercises verifies all exercises under cgroup v2, where most learners do
// them: in a microVM, with the tools that it has. Its go(1) is a stand-in.
func TestExercises(t *testing.T) {
	t.Parallel()
	all, err := exercises.All()
	require.NoError(t, err)
	wrong, err := filepath.Glob(root + "/exercises/*/*/wrong/*")
	require.NoError(t, err)
	files := programs(t)
	m := boot(t, vm.Config{Kernel: vm.KernelSource{Series: newest}, Init: absolute(t, root, whole), Memory: memory, Files: files, Tools: true})
	out, status := m.run(t, "/root", "cutaway", "exercise", "verify")
	require.Zero(t, status, "%s", out)
	tally := fmt.Sprintf("%d exercises, %d solutions passed, %d wrong answers caught\n", len(all), len(all), len(wrong))
	require.Equal(t, tally, out[strings.LastIndex(strings.TrimSpace(out), "\n")+1:])
	t.Log(tally)
}

// programs are those of the exercises that are written, each as built here and
// named by the digest of its text, and what hands them out.
func programs(t *testing.T) map[string]string {
	dir := t.TempDir()
	script := filepath.Join(dir, "go")
	require.NoError(t, os.WriteFile(script, []byte(handOut), 0o755))
	files := map[string]string{"/usr/local/sbin/go": script}
	sources, err := filepath.Glob(root + "/exercises/*/*/*/*.go")
	require.NoError(t, err)
	for _, source := range sources {
		text, err := os.ReadFile(source)
		require.NoError(t, err)
		digest := fmt.Sprintf("%x", sha256.Sum256(text))
		build := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", filepath.Join(dir, digest), source)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		said, err := build.CombinedOutput()
		require.NoError(t, err, "%s", said)
		files["/programs/"+digest] = filepath.Join(dir, digest)
	}
	return files
}
