package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"cutaway/sandbox/op"
	"cutaway/sandbox/plan"
	"cutaway/sandbox/sys"

	"github.com/stretchr/testify/require"
)

// Init's program is a file only where nobody inside could write to it, and only
// one that root alone has written.
func TestProgram(t *testing.T) {
	lab := newLab(t)
	mapped := plan.Spec{Linux: plan.Linux{UIDMappings: []op.IDMapping{{ContainerID: 0, HostID: 100000, Size: 65536}}}}
	opened := func(s plan.Spec) string {
		c := Container{lab: lab.Lab, Spec: s}
		fd, err := c.openProgram()
		require.NoError(t, err)
		defer sys.CloseFD(fd)
		is, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
		require.NoError(t, err)
		return is
	}
	stale := filepath.Join(lab.Dirs.Data, "init-0123456789abcdef")
	require.NoError(t, os.WriteFile(stale, nil, 0o555))
	file := opened(mapped)
	require.Equal(t, lab.Dirs.Data, filepath.Dir(file))
	require.NoFileExists(t, stale, "another build's program goes when a new one comes")
	require.Equal(t, file, opened(mapped), "made once")
	require.Contains(t, opened(plan.Spec{}), "memfd", "root inside is root outside")

	require.NoError(t, os.Chmod(file, 0o777))
	require.Contains(t, opened(mapped), "memfd", "anybody may have written to the file")
	require.NoError(t, os.Remove(file))
	require.NoError(t, os.Symlink("/bin/sh", file))
	require.Contains(t, opened(mapped), "memfd", "a link leads to somebody else's program")
}
