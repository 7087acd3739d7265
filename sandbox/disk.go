package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"cutaway/sandbox/inspect"
	"cutaway/sandbox/sys"
)

// DiskError says why there is no disk whose traffic a control group could limit.
type DiskError struct{ Path, Fact, Advice string }

// Error names the path.
func (e *DiskError) Error() string { return "find the disk of " + e.Path + ": " + e.Fact }

// Hint says what to name instead.
func (e *DiskError) Hint() string { return e.Advice }

// DiskOf gives the disk, as major:minor, that the device node at path is. The
// kernel limits whole disks only: "IO Interface Files" of cgroup-v2.rst.
func DiskOf(path string) (string, error) {
	st, err := os.Stat(path)
	if err != nil {
		return "", &DiskError{Path: path, Fact: reason(err)}
	}
	node, ok := st.Sys().(*syscall.Stat_t)
	if !ok || st.Mode()&os.ModeDevice == 0 || st.Mode()&os.ModeCharDevice != 0 {
		return "", &DiskError{Path: path, Fact: "it is no block device", Advice: "lsblk lists the disks there are"}
	}
	number := inspect.DeviceNumber(node.Rdev)
	if whole := wholeDisk(number); whole != number {
		return "", &DiskError{path, "it is a part of a disk, and limits are of whole ones", "name the disk " + nodeOf(whole)}
	}
	return number, nil
}

// DiskUnder gives the disk, as major:minor, that a file or directory lies on. A
// file system in memory or from the network, and some that span several disks,
// have none.
func DiskUnder(path string) (string, error) {
	st, err := os.Stat(path)
	if err != nil {
		return "", &DiskError{Path: path, Fact: reason(err)}
	}
	file, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return "", &DiskError{Path: path, Fact: "the file system does not tell"}
	}
	number := inspect.DeviceNumber(file.Dev)
	if _, err := os.Stat("/sys/dev/block/" + number); err != nil {
		return "", &DiskError{Path: path, Fact: "its file system is on no block device"}
	}
	return wholeDisk(number), nil
}

// wholeDisk leads from a partition to its disk: in sysfs, its directory lies in
// the disk's.
func wholeDisk(number string) string {
	dir := "/sys/dev/block/" + number
	if _, err := os.Stat(dir + "/partition"); err != nil {
		return number
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return number
	}
	disk, err := os.ReadFile(filepath.Join(filepath.Dir(real), "dev"))
	if err != nil {
		return number
	}
	return strings.TrimSpace(string(disk))
}

// nodeOf is the usual path of a disk's node.
func nodeOf(number string) string {
	real, err := filepath.EvalSymlinks("/sys/dev/block/" + number)
	if err != nil {
		return number
	}
	return "/dev/" + filepath.Base(real)
}

// reason is what is wrong with a path that the message has named already.
func reason(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return fmt.Sprintf("%s: %v", sys.ErrnoName(errno), errno)
	}
	return err.Error()
}
