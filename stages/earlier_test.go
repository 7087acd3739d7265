package stages

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"cutaway/sandbox"
	"cutaway/sandbox/image"
	"cutaway/sandbox/inspect"
	"cutaway/sandbox/trace"

	"github.com/stretchr/testify/require"
)

// What the Events of a stage tell, those of its own steps and those of earlier
// ones, adds up to what the kernel has when the container is complete.
func TestEventsTellAll(t *testing.T) {
	state, err := os.MkdirTemp("", "cutaway-stages-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(state, 0o711))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(state)) })
	l, err := sandbox.New(state)
	require.NoError(t, err)
	store, err := image.Open(l.Dirs.Images())
	require.NoError(t, err)
	for _, s := range []Stage{uts, network, privileges} {
		t.Run(s.Slug, func(t *testing.T) {
			told, earlier := map[string]bool{}, 0
			var compared bool
			l.Emit = func(e trace.Event) {
				if e.Event == trace.EarlierEvent {
					earlier += e.Of
				}
				for _, o := range e.Removed {
					delete(told, string(o.Kind)+" "+o.ID)
				}
				for _, o := range e.Created {
					told[string(o.Kind)+" "+o.ID] = true
				}
				if e.Event == trace.ProbeEvent && !compared { // before any probe has mounted something
					compared = true
					require.Equal(t, own(t, e.PID), within(told))
				}
			}
			r := Runner{Lab: l, Store: store, Program: cutaway}
			require.NoError(t, r.Run(context.Background(), s))
			require.True(t, compared)
			require.Positive(t, earlier, "the stage has steps of earlier ones")
		})
	}
}

// parts are kinds of which a container has its own.
var parts = []inspect.Kind{inspect.User, inspect.Mnt, inspect.UTS, inspect.PID, inspect.IPC, inspect.CgroupNS,
	inspect.Process, inspect.Mount, inspect.Overlay, inspect.Device}

// within picks from what was told those of the kinds compared.
func within(told map[string]bool) []string {
	var out []string
	for what := range told {
		if kind, _, _ := strings.Cut(what, " "); slices.Contains(parts, inspect.Kind(kind)) {
			out = append(out, what)
		}
	}
	slices.Sort(out)
	return out
}

// own lists the objects of a process which this one does not have.
func own(t *testing.T, pid int) []string {
	t.Helper()
	inside, err := inspect.OfProcess(pid)
	require.NoError(t, err)
	host, err := inspect.OfProcess(os.Getpid())
	require.NoError(t, err)
	var out []string
	for _, kind := range parts {
		for _, o := range inside.Of(kind) {
			if host.Find(kind, o.ID) == nil {
				out = append(out, string(kind)+" "+o.ID)
			}
		}
	}
	slices.Sort(out)
	return out
}
