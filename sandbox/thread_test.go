package sandbox

import (
	"runtime"
	"testing"

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
