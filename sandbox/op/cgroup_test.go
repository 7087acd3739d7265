package op

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Who was given a group makes groups in it and moves its own processes down,
// but cannot raise the limit of the whole; undoing removes what was made.
func TestDelegatedGroup(t *testing.T) {
	const nobody = 65534
	mount, err := os.MkdirTemp("", "cutaway-cgroup-")
	require.NoError(t, err)
	require.NoError(t, syscall.Mount("cgroup2", mount, "cgroup2", 0, ""))
	group := mount + "/cutaway-delegated"
	create, delegate := CgroupCreate{Dirs: []string{group}}, CgroupDelegate{Dir: group, UID: nobody, GID: nobody}
	t.Cleanup(func() {
		undo(t, create)
		require.NoError(t, syscall.Unmount(mount, 0))
		require.NoError(t, os.Remove(mount))
	})
	do(t, &Target{}, create)
	as := func(script string) error {
		cmd := exec.Command("/bin/sh", "-c", script)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		return cmd.Run()
	}
	require.Error(t, as("mkdir "+group+"/a"), "it is root's")
	do(t, &Target{}, delegate)
	require.NoError(t, as("mkdir -p "+group+"/a/b "+group+"/c"))
	require.Error(t, as("echo 10 > "+group+"/cgroup.max.depth"), "its own limits stay root's")
	undo(t, delegate, delegate) // the second finds nothing to do
	require.NoDirExists(t, filepath.Join(group, "a"))
	require.DirExists(t, group)

	// the command line given for it does the same
	run(t, "sh", "-c", delegate.Shell())
	st, err := os.Stat(group + "/cgroup.procs")
	require.NoError(t, err)
	require.EqualValues(t, nobody, st.Sys().(*syscall.Stat_t).Uid)
}
