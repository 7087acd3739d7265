package sys

import (
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// The functions of this file only look: they are not part of what a stage
// does, so they are not recorded as Calls.

// NamespaceOwner returns the inode of the user namespace that owns the
// namespace file at path (NS_GET_USERNS, ioctl_ns(2)). For a user namespace
// that is its parent. EPERM means the owner is outside the caller's own user
// namespace.
func NamespaceOwner(path string) (inode uint64, err error) {
	return relatedNamespace(path, unix.NS_GET_USERNS)
}

// NamespaceParent returns the inode of the parent of the PID or user namespace
// at path (NS_GET_PARENT, ioctl_ns(2)). EPERM means there is none within the
// caller's view, as for the initial namespaces; EINVAL that the namespace is of
// a type without parents.
func NamespaceParent(path string) (inode uint64, err error) {
	return relatedNamespace(path, unix.NS_GET_PARENT)
}

// relatedNamespace asks one of the ioctls that answer with a descriptor of
// another namespace, whose inode is its identity.
func relatedNamespace(path string, request uint) (uint64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	fd, err := unix.IoctlRetInt(int(f.Fd()), request)
	if err != nil {
		return 0, fmt.Errorf("ioctl_ns at %s: %w", path, err)
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return 0, fmt.Errorf("fstat namespace of %s: %w", path, err)
	}
	return st.Ino, nil
}

// NamespaceOwnerUID returns the user that created the user namespace at path,
// as the caller's user namespace numbers users (NS_GET_OWNER_UID, ioctl_ns(2)).
func NamespaceOwnerUID(path string) (uint32, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	uid, err := unix.IoctlGetUint32(int(f.Fd()), unix.NS_GET_OWNER_UID)
	if err != nil {
		return 0, fmt.Errorf("ioctl_ns at %s: %w", path, err)
	}
	return uid, nil
}

// Nodename returns the two names of the calling thread's UTS namespace
// (uname(2)).
func Nodename() (node, domain string, err error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "", "", fmt.Errorf("uname: %w", err)
	}
	return unix.ByteSliceToString(u.Nodename[:]), unix.ByteSliceToString(u.Domainname[:]), nil
}

// Inside runs read on a thread that has joined namespaces of process pid, named
// as in /proc/PID/ns ("uts", "ipc", "net"), and then ends the thread. Anything
// read opens that belongs to a namespace (a netlink socket) stays there.
//
// One setns(2) on a PID file descriptor joins them all (since Linux 5.8), so
// they belong to one process even if its number is reused meanwhile. ESRCH
// means the process is gone; EPERM that the caller lacks CAP_SYS_ADMIN in its
// own user namespace or in the one that owns the target.
func Inside(pid int, namespaces []string, read func() error) error {
	flags := 0
	for _, name := range namespaces {
		flag, ok := joinable[name]
		if !ok {
			return fmt.Errorf("join %s namespace: %w: a thread cannot join it alone", name, unix.EINVAL)
		}
		flags |= flag
	}
	return onThrowawayThread(func() error {
		fd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			return fmt.Errorf("pidfd_open %d: %w", pid, err)
		}
		defer unix.Close(fd)
		if err := unix.Setns(fd, flags); err != nil {
			return fmt.Errorf("setns to process %s: %w", strconv.Itoa(pid), err)
		}
		return read()
	})
}

// joinable maps the namespaces that one thread of many may join to their
// flags. The others need a single-threaded process (user), an unshared fs
// (mnt) or move only children (pid, time): setns(2).
var joinable = map[string]int{
	"uts": unix.CLONE_NEWUTS,
	"ipc": unix.CLONE_NEWIPC,
	"net": unix.CLONE_NEWNET,
}

// onThrowawayThread runs work on a locked thread and never unlocks it, so the
// runtime ends the thread instead of reusing one whose namespaces changed.
func onThrowawayThread(work func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		if OnMainThread() { // hold it here while another thread does the work
			err := onThrowawayThread(work)
			runtime.UnlockOSThread()
			done <- err
			return
		}
		done <- work()
	}()
	return <-done
}

// OnMainThread reports whether the caller runs on the process's first thread. It
// is no thread to change anything about: it cannot end before the process, and
// what /proc/self shows of namespaces and credentials is its own.
func OnMainThread() bool { return unix.Gettid() == unix.Getpid() }
