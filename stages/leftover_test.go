package stages

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"cutaway/sandbox"
	"cutaway/sandbox/inspect"

	"github.com/stretchr/testify/require"
)

// machineState is all that a container could leave on the machine: what the lab
// may touch there, and beside it processes, namespaces and files.
type machineState struct {
	snapshot *inspect.Snapshot
	facts    map[string]string
}

// lookAround reads it.
func lookAround(t *testing.T, l *sandbox.Lab) machineState {
	t.Helper()
	s := machineState{look(t, l), map[string]string{}}
	for _, dir := range []string{l.Dirs.Run, l.Dirs.Data} {
		require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err == nil {
				s.facts["file "+path] = fmt.Sprint(info.Mode(), info.Size())
			}
			return err
		}))
	}
	for _, mount := range l.Features.Cgroup.Mounts {
		groups, err := filepath.Glob(mount + "/cutaway*")
		require.NoError(t, err)
		for _, group := range groups {
			s.facts["control group "+group] = "of the lab's or of runc's"
		}
		if on, err := os.ReadFile(mount + "/cgroup.subtree_control"); err == nil {
			s.facts["passed on in "+mount] = string(on)
		}
	}
	processes, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	for _, process := range processes {
		s.process(process)
	}
	return s
}

// process notes a process that belongs to the lab, by the mark in its
// environment, and the namespaces of any.
func (s machineState) process(dir string) {
	if env, err := os.ReadFile(dir + "/environ"); err == nil && bytes.Contains(env, []byte("CUTAWAY_ID=")) {
		s.facts["process "+filepath.Base(dir)] = "of a container"
	}
	namespaces, err := filepath.Glob(dir + "/ns/*")
	if err != nil {
		return
	}
	for _, file := range namespaces {
		if name, err := os.Readlink(file); err == nil {
			s.facts["namespace "+name] = "has a process"
		}
	}
}

// settled is lookAround once nothing changes any more by itself: a process that has
// ended has namespaces a moment longer, and its user and its PID namespace until it
// is reaped.
func settled(t *testing.T, l *sandbox.Lab) machineState {
	t.Helper()
	const pause, patience = 200 * time.Millisecond, 10 * time.Second
	reap()
	state := lookAround(t, l)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		time.Sleep(pause)
		reap()
		later := lookAround(t, l)
		if len(state.leaks(later)) == 0 {
			return later
		}
		state = later
	}
	return state
}

// leaks is what differs later.
func (s machineState) leaks(later machineState) []string {
	var left []string
	diff := inspect.Compare(s.snapshot, later.snapshot)
	for what, objects := range map[string][]inspect.Object{"new: ": diff.Created, "changed: ": diff.Changed, "gone: ": diff.Removed} {
		for _, o := range objects {
			left = append(left, what+o.Short())
		}
	}
	for what, now := range later.facts {
		if s.facts[what] != now {
			left = append(left, what+" "+now)
		}
	}
	for what := range s.facts {
		if _, there := later.facts[what]; !there {
			left = append(left, "gone: "+what)
		}
	}
	return left
}

// look is what the lab may touch on the host.
func look(t *testing.T, l *sandbox.Lab) *inspect.Snapshot {
	t.Helper()
	snapshot, err := inspect.Take(t.Context(), l.Scope())
	require.NoError(t, err)
	return snapshot
}
