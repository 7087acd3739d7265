package sandbox

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"cutaway/sandbox/features"
	"cutaway/sandbox/image"
	"cutaway/sandbox/op"
	"cutaway/sandbox/plan"

	"github.com/stretchr/testify/require"
)

// rootlessState tells this test binary, run once more by an ordinary user,
// where to make its container.
const rootlessState = "CUTAWAY_TEST_ROOTLESS"

// ordinary is a user that everybody has: nobody.
const ordinary = 65534

// TestRootless has an ordinary user make a container: no root, no setuid
// program, nothing prepared by the administrator.
func TestRootless(t *testing.T) {
	f, err := features.Detect()
	require.NoError(t, err)
	if err := f.HaveOverlayInUserNS(); err != nil {
		t.Skip(err)
	}
	state, err := os.MkdirTemp("", "cutaway-rootless-")
	require.NoError(t, err)
	require.NoError(t, os.Chown(state, ordinary, ordinary))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(state)) })
	self, err := os.ReadFile("/proc/self/exe")
	require.NoError(t, err)
	exe := filepath.Join(state, "test") // where the go command keeps it only root may look
	require.NoError(t, os.WriteFile(exe, self, 0o755))

	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Dir = state
	cmd.Env = []string{rootlessState + "=" + state, "XDG_RUNTIME_DIR=" + state, "HOME=" + state, "PATH=/usr/bin:/bin"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: ordinary, Gid: ordinary}}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, "uid 0 hostname rootless pid 1 seen from outside as 65534", strings.TrimSpace(string(out)))
	left, err := filepath.Glob(filepath.Join(state, "containers", "*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// rootless is what the ordinary user runs.
func rootless(state string) error {
	l, err := New(state)
	if err != nil {
		return err
	}
	store, err := image.Open(l.Dirs.Images())
	if err != nil {
		return err
	}
	embedded, err := image.BuiltIn()
	if err != nil {
		return err
	}
	ctx := context.Background()
	img, err := store.Add(ctx, image.BuiltInRef, embedded)
	if err != nil {
		return err
	}
	lowers, err := store.Unpack(ctx, img, image.Owner{Squash: true})
	if err != nil {
		return err
	}
	me := func(id int) []op.IDMapping { return []op.IDMapping{{ContainerID: 0, HostID: id, Size: 1}} }
	spec := plan.Spec{Hostname: "rootless", Root: plan.Root{Lower: lowers, Pivot: true}, Net: plan.Net{Mode: "none"},
		Process: plan.Process{Args: []string{"sh", "-c", "echo uid $(id -u) hostname $(hostname) pid $$; echo x > /etc/motd; read x"}, Env: []string{"PATH=/bin"}},
		Linux: plan.Linux{Namespaces: []string{"mount", "uts", "pid", "ipc", "network", "user"}, Proc: true, Devices: true,
			UIDMappings: me(os.Getuid()), GIDMappings: me(os.Getgid()), Cgroup: true}}
	in, hold, err := os.Pipe()
	if err != nil {
		return err
	}
	read, out, err := os.Pipe()
	if err != nil {
		return err
	}
	c, err := l.Start(ctx, spec, Options{Stdio: [3]*os.File{in, out, os.Stderr}})
	if err != nil {
		return err
	}
	buf := make([]byte, 200)
	n, err := read.Read(buf)
	if err != nil {
		return err
	}
	status, err := os.Stat(fmt.Sprintf("/proc/%d", c.PID()))
	if err != nil {
		return err
	}
	fmt.Printf("%s seen from outside as %d\n", strings.TrimSpace(string(buf[:n])), status.Sys().(*syscall.Stat_t).Uid)
	hold.Close()
	if _, err := c.Wait(); err != nil {
		return err
	}
	return c.Remove()
}
