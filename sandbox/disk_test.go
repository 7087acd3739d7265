package sandbox

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cutaway/sandbox/inspect"
	"cutaway/sandbox/plan"

	"github.com/stretchr/testify/require"
)

// Every partition leads to the disk that sysfs has it under, and a file to the
// disk of its file system.
func TestWholeDisk(t *testing.T) {
	for _, file := range glob(t, "/sys/block/*/*/partition") {
		part, disk := read(t, filepath.Join(filepath.Dir(file), "dev")), read(t, filepath.Join(filepath.Dir(file), "..", "dev"))
		require.Equal(t, disk, wholeDisk(part))
	}
	for _, file := range glob(t, "/sys/block/*/dev") {
		require.Equal(t, read(t, file), wholeDisk(read(t, file)))
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	require.NoError(t, err)
	return found
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	return strings.TrimSpace(string(b))
}

func TestDiskOfRefusesWhatIsNone(t *testing.T) {
	for path, fact := range map[string]string{
		"/dev/null":    "it is no block device",
		"/dev/nothing": "ENOENT",
		"/etc/passwd":  "it is no block device",
	} {
		_, err := DiskOf(path)
		require.ErrorContains(t, err, "find the disk of "+path+": "+fact)
	}
	_, err := DiskUnder("/proc")
	require.ErrorContains(t, err, "on no block device")
}

// The kernel takes the limits and gives them back. Files in memory are on no
// disk, and then there is nothing to limit.
func TestLimitOfADisk(t *testing.T) {
	b := newLab(t)
	disk, err := DiskUnder(b.Dirs.Data)
	if no := new(DiskError); errors.As(err, &no) {
		require.Contains(t, no.Fact, "on no block device")
		return
	}
	require.NoError(t, err)
	s := b.spec("sleep", "1000")
	*s.Linux.Resources.Disk(disk) = plan.IOMax{Device: disk, WriteBPS: 4 << 20, ReadIOPS: 77}
	c, err := b.Start(t.Context(), s, null(t))
	require.NoError(t, err)
	snap, err := inspect.OfProcess(c.PID())
	require.NoError(t, err)
	found := ""
	for _, o := range snap.Of(inspect.Cgroup) {
		found += o.Detail.Get("io.max")
	}
	require.Contains(t, found, disk)
	require.Contains(t, found, "wbps=4194304")
	require.Contains(t, found, "riops=77")
	require.NoError(t, c.Remove())
}
