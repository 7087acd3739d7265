package kernels

import (
	"bytes"
	"context"
	"testing"
	"time"

	"cutaway/vm"

	"github.com/stretchr/testify/require"
)

// TestDoctor asks in a machine where everything may be broken for real.
func TestDoctor(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	m, err := vm.Boot(ctx, vm.Config{Kernel: vm.KernelSource{Series: newest}, Init: absolute(t, root, whole)})
	require.NoError(t, err)
	defer m.Stop()
	doctor := func(before string) (string, int) {
		var out bytes.Buffer
		status, err := m.Run(ctx, vm.Command{Args: []string{"sh", "-c", before + "; exec cutaway doctor"}, Stdout: &out, Stderr: &out})
		require.NoError(t, err, "%s", &out)
		return out.String(), status
	}
	out, status := doctor(":")
	require.Zero(t, status, out)
	require.NotContains(t, out, "because", "all is well here")
	require.NotContains(t, out, "microVM", "a lab machine needs none")

	out, status = doctor("echo 0 >/proc/sys/kernel/unprivileged_userns_clone; rm /lib/modules/*/veth.ko")
	require.Zero(t, status, out)
	require.Regexp(t, `limited setting +kernel\.unprivileged_userns_clone is 0`, out)
	require.Regexp(t, `limited veth +neither in the kernel nor among its modules`, out)

	out, status = doctor("echo 0 >/proc/sys/user/max_net_namespaces; rm /lib/modules/*/overlay.ko")
	require.Equal(t, 3, status, out)
	require.Regexp(t, `broken +setting +user\.max_net_namespaces is 0`, out)
	require.Regexp(t, `broken +overlay +neither`, out)

	out, status = doctor("umount /sys/fs/cgroup")
	require.Equal(t, 3, status, out)
	require.Regexp(t, `limited control groups +no hierarchy is mounted`, out)
	require.Contains(t, out, "sudo mount -t cgroup2 cgroup2 /sys/fs/cgroup")
}
