package stages

import (
	"context"
	"os"
	"syscall"
	"testing"

	"cutaway/sandbox"

	"github.com/stretchr/testify/require"
)

// TestNothingLeaks has a directory of the host open, inheritable, as a careless
// shell or supervisor may leave one to cutaway: the payload does not get it.
// Stage 00 has the probe that looks.
func TestNothingLeaks(t *testing.T) {
	dir, err := os.Open("/")
	require.NoError(t, err)
	defer dir.Close()
	inheritable, err := syscall.Dup(int(dir.Fd()))
	require.NoError(t, err)
	defer syscall.Close(inheritable)
	l, err := sandbox.New(t.TempDir())
	require.NoError(t, err)
	r := Runner{Lab: l}
	require.NoError(t, r.Run(context.Background(), process))
}
