package sandbox

import (
	"runtime"
	"testing"

	"cutaway/sandbox/plan"
	"cutaway/sandbox/sys"

	"github.com/stretchr/testify/require"
)

// No step runs on the main thread, however many are busy: what a step changes
// about its thread would show in /proc/self, and could not end with it.
func TestStepsKeepOffTheMainThread(t *testing.T) {
	for range 50 * runtime.GOMAXPROCS(0) {
		thread := newThread()
		require.NoError(t, thread.run(func() error {
			require.False(t, sys.OnMainThread())
			return nil
		}))
		defer thread.end()
		runtime.Gosched()
	}
}

// A locked thread is good enough for all that leaves it as it is.
func TestLocked(t *testing.T) {
	lab := newLab(t)
	for _, c := range []struct {
		joined map[string]string
		own    bool
	}{{nil, false}, {map[string]string{"network": "/proc/self/ns/net"}, true}} {
		o := null(t)
		o.Locked = true
		container, err := lab.register(plan.Spec{Linux: plan.Linux{Joined: c.joined}}, o)
		require.NoError(t, err)
		require.Equal(t, c.own, container.thread.work != nil, c.joined)
		require.NoError(t, container.Remove())
	}
}
