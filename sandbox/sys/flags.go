package sys

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// Namespace flags of clone(2), unshare(2) and setns(2), so that other packages
// need not import x/sys/unix for them.
const (
	NewNS     = unix.CLONE_NEWNS
	NewUTS    = unix.CLONE_NEWUTS
	NewPID    = unix.CLONE_NEWPID
	NewIPC    = unix.CLONE_NEWIPC
	NewNet    = unix.CLONE_NEWNET
	NewUser   = unix.CLONE_NEWUSER
	NewCgroup = unix.CLONE_NEWCGROUP
	NewTime   = unix.CLONE_NEWTIME
)

// Flags of mount(2) and umount2(2).
const (
	Rdonly      = unix.MS_RDONLY
	Nosuid      = unix.MS_NOSUID
	Nodev       = unix.MS_NODEV
	Noexec      = unix.MS_NOEXEC
	Remount     = unix.MS_REMOUNT
	Bind        = unix.MS_BIND
	Rec         = unix.MS_REC
	Private     = unix.MS_PRIVATE
	Slave       = unix.MS_SLAVE
	Strictatime = unix.MS_STRICTATIME
	Detach      = unix.MNT_DETACH
	NoFollow    = unix.UMOUNT_NOFOLLOW
)

type flagName struct {
	bit  uint64
	name string
}

var cloneFlags = []flagName{
	{unix.CLONE_VM, "CLONE_VM"},
	{unix.CLONE_FS, "CLONE_FS"},
	{unix.CLONE_VFORK, "CLONE_VFORK"},
	{unix.CLONE_PIDFD, "CLONE_PIDFD"},
	{unix.CLONE_NEWNS, "CLONE_NEWNS"},
	{unix.CLONE_NEWCGROUP, "CLONE_NEWCGROUP"},
	{unix.CLONE_NEWUTS, "CLONE_NEWUTS"},
	{unix.CLONE_NEWIPC, "CLONE_NEWIPC"},
	{unix.CLONE_NEWUSER, "CLONE_NEWUSER"},
	{unix.CLONE_NEWPID, "CLONE_NEWPID"},
	{unix.CLONE_NEWNET, "CLONE_NEWNET"},
	{unix.CLONE_NEWTIME, "CLONE_NEWTIME"},
	{unix.CLONE_INTO_CGROUP, "CLONE_INTO_CGROUP"},
}

var mountFlags = []flagName{
	{unix.MS_REMOUNT, "MS_REMOUNT"},
	{unix.MS_BIND, "MS_BIND"},
	{unix.MS_REC, "MS_REC"},
	{unix.MS_PRIVATE, "MS_PRIVATE"},
	{unix.MS_SLAVE, "MS_SLAVE"},
	{unix.MS_SHARED, "MS_SHARED"},
	{unix.MS_UNBINDABLE, "MS_UNBINDABLE"},
	{unix.MS_MOVE, "MS_MOVE"},
	{unix.MS_RDONLY, "MS_RDONLY"},
	{unix.MS_NOSUID, "MS_NOSUID"},
	{unix.MS_NODEV, "MS_NODEV"},
	{unix.MS_NOEXEC, "MS_NOEXEC"},
	{unix.MS_NOATIME, "MS_NOATIME"},
	{unix.MS_RELATIME, "MS_RELATIME"},
	{unix.MS_STRICTATIME, "MS_STRICTATIME"},
}

// CloneFlags names the flags of clone(2) and unshare(2).
func CloneFlags(f uint64) string { return flagNames(f, cloneFlags, "0") }

// MountFlags names the flags of mount(2).
func MountFlags(f uintptr) string { return flagNames(uint64(f), mountFlags, "0") }

// UmountFlags names the flags of umount2(2).
func UmountFlags(f int) string {
	return flagNames(uint64(f), []flagName{{unix.MNT_DETACH, "MNT_DETACH"}, {unix.MNT_FORCE, "MNT_FORCE"}, {unix.UMOUNT_NOFOLLOW, "UMOUNT_NOFOLLOW"}}, "0")
}

func flagNames(f uint64, table []flagName, none string) string {
	var names []string
	for _, n := range table {
		if f&n.bit == n.bit {
			names = append(names, n.name)
			f &^= n.bit
		}
	}
	if f != 0 {
		names = append(names, fmt.Sprintf("%#x", f))
	}
	if len(names) == 0 {
		return none
	}
	return strings.Join(names, "|")
}
