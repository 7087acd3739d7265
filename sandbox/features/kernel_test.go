package features

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	"cutaway/sandbox/sys"

	"github.com/stretchr/testify/require"
)

// run runs a program in new namespaces. It must not be one of Go's: a process
// whose children are to be in another time namespace can start no thread.
func run(t *testing.T, attr syscall.SysProcAttr, argv ...string) (string, error) {
	t.Helper()
	require.Zero(t, os.Geteuid(), "needs root: makes namespaces")
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.SysProcAttr = &attr
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, out)
	}
	return strings.TrimSpace(string(out)), err
}

// The flags of clone(2) and unshare(2) by the namespace's file; package syscall
// has not heard of the last one.
var cloneFlags = map[string]uintptr{
	"mnt": syscall.CLONE_NEWNS, "uts": syscall.CLONE_NEWUTS, "ipc": syscall.CLONE_NEWIPC, "pid": syscall.CLONE_NEWPID,
	"net": syscall.CLONE_NEWNET, "user": syscall.CLONE_NEWUSER, "cgroup": syscall.CLONE_NEWCGROUP, "time": 0x80,
}

// newNamespace has a process be in a new namespace, or in an old one with a new
// one for its children.
func newNamespace(t *testing.T, name, file string) error {
	attr := syscall.SysProcAttr{Cloneflags: cloneFlags[name]}
	if name == "time" { // clone(2) has no room for the flag
		attr = syscall.SysProcAttr{Unshareflags: cloneFlags[name]}
	}
	theirs, err := run(t, attr, "readlink", "/proc/self/ns/"+file)
	if err != nil {
		return err
	}
	ours, err := os.Readlink("/proc/self/ns/" + file)
	require.NoError(t, err)
	if theirs == ours {
		return fmt.Errorf("%s is still %s", file, ours)
	}
	return nil
}

func overlayInUserNS(t *testing.T) error {
	root := []syscall.SysProcIDMap{{Size: 1}}
	attr := syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS, UidMappings: root, GidMappings: root}
	_, err := run(t, attr, "sh", "-ec", `mount -t tmpfs tmpfs "$0"
		mkdir "$0/lower" "$0/upper" "$0/work" "$0/merged"
		mount -t overlay -o "lowerdir=$0/lower,upperdir=$0/upper,workdir=$0/work" overlay "$0/merged"`, t.TempDir())
	return err
}

// mountSetattr calls mount_setattr(2), by its number on every architecture. It
// says EINVAL to attributes of size 0.
func mountSetattr(*testing.T) error {
	const number = 442
	if _, _, errno := syscall.Syscall6(number, 0, 0, 0, 0, 0, 0); errno != syscall.EINVAL {
		return errno
	}
	return nil
}

// idMappedTmpfs mounts a tmpfs once more, with the owners of its files as a user
// namespace of another process has them.
func idMappedTmpfs(t *testing.T) error {
	dir := t.TempDir()
	require.NoError(t, syscall.Mount("tmpfs", dir, "tmpfs", 0, ""))
	defer func() { require.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) }()
	cmd := exec.CommandContext(t.Context(), "sleep", "600")
	ids := []syscall.SysProcIDMap{{HostID: 100000, Size: 1}}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, UidMappings: ids, GidMappings: ids}
	require.NoError(t, cmd.Start())
	defer func() { _ = cmd.Wait() }() // it is killed
	defer func() { require.NoError(t, cmd.Process.Kill()) }()
	k := sys.Kernel{Quiet: true}
	tree, err := k.OpenTree(dir)
	require.NoError(t, err)
	defer sys.CloseFD(tree)
	return k.MapMount(tree, fmt.Sprintf("/proc/%d/ns/user", cmd.Process.Pid))
}

// limitFiles are files that only a group with the controller has: cgroup-v2.rst
// and cgroup-v1 in the kernel's documentation.
var limitFiles = map[string]struct{ v2, v1 string }{
	"memory": {"memory.max", "memory.limit_in_bytes"}, "cpu": {"cpu.max", "cpu.cfs_quota_us"}, "pids": {"pids.max", "pids.max"},
	"io": {"io.max", "blkio.throttle.read_bps_device"}, "freezer": {"cgroup.freeze", "freezer.state"},
}

// useController makes a group that the controller governs.
func useController(t *testing.T, c Cgroups, name string) error {
	dir, found := c.Dir(name)
	require.True(t, found)
	file := limitFiles[name].v1
	if c.Mode == Unified {
		file = limitFiles[name].v2
	}
	if c.Mode == Unified && name != "freezer" && !slices.Contains(c.Enabled, name) {
		control := filepath.Join(dir, "cgroup.subtree_control")
		if err := os.WriteFile(control, []byte("+"+name), 0); err != nil {
			return err
		}
		defer func() { require.NoError(t, os.WriteFile(control, []byte("-"+name), 0)) }()
	}
	group := filepath.Join(dir, "cutaway-features")
	require.NoError(t, os.Mkdir(group, 0o755))
	defer func() { require.NoError(t, os.Remove(group)) }()
	_, err := os.Stat(filepath.Join(group, file))
	return err
}

// feature is one that can be asked for: what Detect has found, and the kernel
// doing it.
type feature struct {
	name   string
	method string // of Features, that reports found
	found  error
	do     func(t *testing.T) error
}

func all(f Features) []feature {
	features := []feature{
		{"time namespace by execve", "HaveTimeNSByExec", f.HaveTimeNSByExec(), func(t *testing.T) error { return newNamespace(t, "time", "time") }},
		{"mount_setattr", "HaveMountSetattr", f.HaveMountSetattr(), mountSetattr},
		{"id-mapped mounts of tmpfs", "HaveIDMappedMounts", f.HaveIDMappedMounts("tmpfs"), idMappedTmpfs},
		{"overlayfs in a user namespace", "HaveOverlayInUserNS", f.HaveOverlayInUserNS(), overlayInUserNS},
	}
	for name := range namespaces {
		file := name
		if name == "time" {
			file = "time_for_children"
		}
		features = append(features, feature{"namespace " + name, "HaveNamespace", f.HaveNamespace(name), func(t *testing.T) error { return newNamespace(t, name, file) }})
	}
	for _, name := range Controllers {
		features = append(features, feature{"controller " + name, "HaveController", f.HaveController(name), func(t *testing.T) error { return useController(t, f.Cgroup, name) }})
	}
	return features
}

// TestKernelAgrees has the kernel do what each feature stands for. One that is
// too old must refuse, or the version we name is wrong; one that is new enough
// has to do it.
func TestKernelAgrees(t *testing.T) {
	f, err := Detect()
	require.NoError(t, err)
	for _, c := range all(f) {
		t.Run(c.name, func(t *testing.T) {
			var lacks *Error
			if errors.As(c.found, &lacks) && lacks.Cause == "" {
				require.Error(t, c.do(t), "the kernel can: %v", c.found)
				t.Skip(c.found)
			}
			require.NoError(t, c.found, "this version should have it")
			require.NoError(t, c.do(t), "detected, yet the kernel refuses")
		})
	}
}

// Nothing can be asked of Features that the test above does not try.
func TestEveryFeatureIsTried(t *testing.T) {
	var methods, tried []string
	for m := range reflect.TypeFor[Features]().Methods() {
		if strings.HasPrefix(m.Name, "Have") {
			methods = append(methods, m.Name)
		}
	}
	for _, c := range all(Features{}) {
		tried = append(tried, c.method)
	}
	slices.Sort(tried)
	require.Equal(t, methods, slices.Compact(tried))
}
