package sandbox

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMountsAreNotEmptied has a container that shares the host's mount table
// mount a directory of the host's in its root: it is let go, not removed.
func TestMountsAreNotEmptied(t *testing.T) {
	lab := newLab(t)
	host := t.TempDir()
	kept := filepath.Join(host, "kept")
	require.NoError(t, os.WriteFile(kept, nil, 0o600))
	spec := lab.spec("/bin/sh", "-c", `mkdir "/mnt/a b" && mount -t tmpfs x "/mnt/a b" && mount -t proc proc /proc &&
		mount --bind /proc/$PPID/root`+host+` "/mnt/a b" && [ -f "/mnt/a b/kept" ]`)
	spec.Root.Pivot = false
	spec.Linux.Namespaces, spec.Linux.Proc, spec.Linux.Devices, spec.Linux.Cgroup = nil, false, false, false
	spec.Linux.UIDMappings, spec.Linux.GIDMappings, spec.Hostname, spec.Net.Mode = nil, nil, "", "host"
	exit, err := Run(t.Context(), lab.Lab, spec, null(t), false)
	require.NoError(t, err)
	require.Zero(t, exit.Status())
	require.FileExists(t, kept)
}
