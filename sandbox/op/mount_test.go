package op

import (
	"syscall"
	"testing"

	"cutaway/sandbox/sys"

	"github.com/stretchr/testify/require"
)

// Without mount_setattr(2) the remount has to name what it does not take off.
func TestReadonlyMountKeepsOptions(t *testing.T) {
	var st syscall.Statfs_t
	require.NoError(t, onOwnThread(func(k *sys.Kernel, dir string) error {
		o := Mount{Source: "tmpfs", Target: dir + "/m", Type: "tmpfs", Flags: sys.Nosuid | sys.Nodev | sys.Noexec}
		if err := Run(o, k, nil); err != nil {
			return err
		}
		if err := Run(ReadonlyMount{Target: o.Target}, k, nil); err != nil {
			return err
		}
		return syscall.Statfs(o.Target, &st)
	}))
	const want = sys.Rdonly | sys.Nosuid | sys.Nodev | sys.Noexec
	require.EqualValues(t, want, st.Flags&want)
}
