// Package features tells what the running kernel can do for a container.
//
// Its one invariant: Detect only looks; it changes nothing and costs well under
// a millisecond, because every run begins with it. The result is plain data:
// the host hands it to init, so that both compile the same Plan. Read this
// file, then cgroup.go for the three ways a machine can have control groups.
package features

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"cutaway/sandbox/sys"
)

// Features is what was found on this machine.
type Features struct {
	Kernel  Version `json:"kernel"`
	EUID    int     `json:"euid"` // effective user and group id of the host process
	EGID    int     `json:"egid"`
	LastCap int     `json:"last_cap"` // highest capability number, /proc/sys/kernel/cap_last_cap
	Cgroup  Cgroups `json:"cgroup"`
	// Namespaces holds the entries of /proc/self/ns: mnt, uts, time ...
	Namespaces map[string]bool `json:"namespaces"`
	IDs        IDs             `json:"ids"` // for the users of containers
}

// Version is a kernel version, major and minor: uname(2).
type Version struct{ Major, Minor int }

// String gives "6.1".
func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

// AtLeast reports whether v is minimum or newer.
func (v Version) AtLeast(minimum Version) bool {
	return v.Major > minimum.Major || v.Major == minimum.Major && v.Minor >= minimum.Minor
}

// Detect looks at the running kernel and at the caller's credentials.
func Detect() (Features, error) { return DetectIn("/") }

// DetectIn does the same with /proc and /sys below root: a machine's as it was
// recorded.
func DetectIn(root string) (Features, error) {
	f := Features{EUID: os.Geteuid(), EGID: os.Getegid(), LastCap: sys.LastCap(), Namespaces: map[string]bool{}, IDs: spareIDs(readIDMaps(root))}
	release, err := os.ReadFile(filepath.Join(root, "proc/sys/kernel/osrelease"))
	if err != nil {
		return f, fmt.Errorf("read the kernel's version: %w", err)
	}
	if _, err := fmt.Sscanf(string(release), "%d.%d", &f.Kernel.Major, &f.Kernel.Minor); err != nil {
		return f, fmt.Errorf("parse kernel version %q: %w", strings.TrimSpace(string(release)), err)
	}
	entries, err := os.ReadDir(filepath.Join(root, "proc/self/ns"))
	if err != nil {
		return f, fmt.Errorf("list /proc/self/ns: %w", err)
	}
	for _, e := range entries {
		f.Namespaces[e.Name()] = true
	}
	if f.Cgroup, err = detectCgroups(root); err != nil {
		return f, err
	}
	return f, nil
}

// Root reports whether the host process may use the privileged parts of the lab.
func (f Features) Root() bool { return f.EUID == 0 }

// Error says that this machine lacks a feature and which kernel has it.
type Error struct {
	Feature string  // "time namespaces"
	Minimum Version // first kernel with it; zero if it is not a matter of version
	Kernel  Version // the running one
	Cause   string  // why it is missing when the version would do
}

// Error reads "time namespaces not supported (requires Linux >= 5.6, this is 5.4)".
func (e *Error) Error() string {
	if e.Cause != "" {
		return fmt.Sprintf("%s not available: %s", e.Feature, e.Cause)
	}
	return fmt.Sprintf("%s not supported (requires Linux >= %s, this is %s)", e.Feature, e.Minimum, e.Kernel)
}

// Hint says what to do about it.
func (e *Error) Hint() string {
	if e.Cause != "" {
		return "cutaway doctor shows what this machine lacks and how to get it"
	}
	return "run the lab on Linux " + e.Minimum.String() + " or newer"
}

func (f Features) needs(feature string, minimum Version, have bool, cause string) error {
	if have {
		return nil
	}
	e := &Error{Feature: feature, Minimum: minimum, Kernel: f.Kernel}
	if f.Kernel.AtLeast(minimum) {
		e.Cause = cause
	}
	return e
}

// namespaces by the name of their file in /proc/PID/ns, with the first kernel
// that has them: namespaces(7).
var namespaces = map[string]struct {
	name    string
	minimum Version
}{
	"mnt":    {"mount namespaces", Version{2, 4}},
	"uts":    {"UTS namespaces", Version{2, 6}},
	"ipc":    {"IPC namespaces", Version{2, 6}},
	"pid":    {"PID namespaces", Version{2, 6}},
	"net":    {"network namespaces", Version{2, 6}},
	"user":   {"user namespaces", Version{3, 8}},
	"cgroup": {"cgroup namespaces", Version{4, 6}},
	"time":   {"time namespaces", Version{5, 6}},
}

// HaveNamespace returns nil if the kernel has the namespace whose file in
// /proc/PID/ns is called name, else an *Error.
func (f Features) HaveNamespace(name string) error {
	ns, known := namespaces[name]
	if !known {
		return fmt.Errorf("no namespace is called %q", name)
	}
	return f.needs(ns.name, ns.minimum, f.Namespaces[name],
		"the kernel was built without it: there is no /proc/self/ns/"+name)
}

// HaveTimeNSByExec returns nil if execve moves a process into the time
// namespace it unshared: since Linux 6.3 (before, only fork does).
func (f Features) HaveTimeNSByExec() error {
	if err := f.HaveNamespace("time"); err != nil {
		return err
	}
	v := Version{6, 3}
	return f.needs("entering a time namespace by execve", v, f.Kernel.AtLeast(v), "")
}

// HaveOverlayInUserNS returns nil if overlayfs can be mounted inside a user
// namespace: since Linux 5.11.
func (f Features) HaveOverlayInUserNS() error {
	v := Version{5, 11}
	return f.needs("overlayfs inside a user namespace", v, f.Kernel.AtLeast(v), "")
}

// HaveMountSetattr returns nil if mount_setattr(2) can change a whole tree of
// mounts: since Linux 5.12.
func (f Features) HaveMountSetattr() error {
	v := Version{5, 12}
	return f.needs("mount_setattr", v, f.Kernel.AtLeast(v), "")
}

// mapping lists the file systems that can be mounted with their owners
// translated, with the first kernel of each: mount_setattr(2).
var mapping = map[string]Version{
	"ext4": {5, 12}, "vfat": {5, 12}, "xfs": {5, 12}, "btrfs": {5, 15}, "f2fs": {5, 18}, "erofs": {5, 19}, "squashfs": {6, 2}, "tmpfs": {6, 3},
}

// HaveIDMappedMounts returns nil if a file system of this type can have id-mapped
// mounts (MOUNT_ATTR_IDMAP): some since Linux 5.12, tmpfs since 6.3.
func (f Features) HaveIDMappedMounts(fstype string) error {
	v, known := mapping[fstype]
	if !known {
		v = Version{5, 12} // none before
	}
	return f.needs("id-mapped mounts of "+fstype, v, known && f.Kernel.AtLeast(v), "its driver is not known to translate owners")
}

// HaveController returns nil if the control group controller (memory, cpu,
// pids, io, freezer) can be used by the lab, else an *Error.
func (f Features) HaveController(name string) error {
	if _, ok := f.Cgroup.Dir(name); ok {
		return nil
	}
	return f.needs("the cgroup controller "+name, Version{}, false, "no mounted hierarchy has it (see /proc/cgroups)")
}
