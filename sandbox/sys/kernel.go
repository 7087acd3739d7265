package sys

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Errno is an error number; it survives the way from init to the host as a
// number and turns into words only at the edge.
type Errno = unix.Errno

// Kernel makes system calls and keeps a record of those that change the
// kernel's state. Calls that only look (open, read, close) are made unrecorded.
// The zero value makes calls and records them. It is not safe for concurrent
// use: one thread of one process owns it.
type Kernel struct {
	// Dry records calls without making them.
	Dry bool
	// Quiet makes calls without recording them: nobody is watching.
	Quiet bool
	// BeforeExec, when set, is called right before execve(2), which is recorded
	// already: if it succeeds nobody is left to report it.
	BeforeExec func()
	calls      []Call
}

// Calls returns what was recorded since the last time and forgets it.
func (k *Kernel) Calls() []Call {
	c := k.calls
	k.calls = nil
	return c
}

// call makes one system call by f and records it. The error is the bare
// Errno, so that callers can wrap it with the object and the place.
func (k *Kernel) call(f func() (int64, error), name string, args ...string) (int64, error) {
	var (
		ret int64
		err error
	)
	if !k.Dry {
		ret, err = f()
	}
	if !k.Quiet {
		k.Record(name, args, ret, err)
	}
	return ret, err
}

// do is call for system calls that return nothing but success.
func (k *Kernel) do(f func() error, name string, args ...string) error {
	_, err := k.call(func() (int64, error) { return 0, f() }, name, args...)
	return err
}

// Record adds a call that was made elsewhere: by a library that speaks netlink,
// or by the Go runtime when it forks.
func (k *Kernel) Record(name string, args []string, ret int64, err error) {
	c := Call{Name: name, Args: args, Ret: ret}
	if err != nil {
		c.Ret, c.Errno = -1, ErrnoName(err)
	}
	k.calls = append(k.calls, c)
}

// Keep adds a call that another process has made and recorded.
func (k *Kernel) Keep(c Call) { k.calls = append(k.calls, c) }

// ErrnoName gives the symbolic name of the error number inside err ("EPERM"),
// or the error's own words when there is none.
func ErrnoName(err error) string {
	var e unix.Errno
	if errors.As(err, &e) {
		if n := unix.ErrnoName(e); n != "" {
			return n
		}
		return "errno " + strconv.Itoa(int(e))
	}
	return err.Error()
}

// Unshare moves the calling thread out of the namespaces in flags into new
// ones: unshare(2).
func (k *Kernel) Unshare(flags int) error {
	return k.do(func() error { return unix.Unshare(flags) }, "unshare", CloneFlags(uint64(flags)))
}

// Setns joins the namespace that the file at path refers to: setns(2).
func (k *Kernel) Setns(path string, nstype int) error {
	return k.do(func() error {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Setns(fd, nstype)
	}, "setns", "<"+path+">", CloneFlags(uint64(nstype)))
}

// Mount attaches or changes a mount: mount(2). Empty strings are NULL.
func (k *Kernel) Mount(source, target, fstype string, flags uintptr, data string) error {
	return k.do(func() error { return mount(source, target, fstype, flags, data) },
		"mount", strOrNull(source), Quote(target), strOrNull(fstype), MountFlags(flags), strOrNull(data))
}

// mount is unix.Mount, which gives the kernel empty strings where we print NULL.
func mount(source, target, fstype string, flags uintptr, data string) error {
	args := make([]*byte, 4)
	for i, text := range []string{source, target, fstype, data} {
		if text == "" {
			continue
		}
		var err error
		if args[i], err = unix.BytePtrFromString(text); err != nil {
			return err
		}
	}
	_, _, e := unix.Syscall6(unix.SYS_MOUNT, uintptr(unsafe.Pointer(args[0])), uintptr(unsafe.Pointer(args[1])),
		uintptr(unsafe.Pointer(args[2])), flags, uintptr(unsafe.Pointer(args[3])), 0)
	if e != 0 {
		return e
	}
	return nil
}

// Umount2 detaches a mount: umount2(2).
func (k *Kernel) Umount2(target string, flags int) error {
	return k.do(func() error { return unix.Unmount(target, flags) }, "umount2", Quote(target), UmountFlags(flags))
}

// OpenTree clones the mount at path, detached, and returns its descriptor:
// open_tree(2), since Linux 5.2. The clone is recursive: in a user namespace
// mounts below the one asked for are locked to it.
func (k *Kernel) OpenTree(path string) (int, error) {
	const flags = unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC | unix.AT_RECURSIVE
	fd, err := k.call(func() (int64, error) {
		fd, err := unix.OpenTree(unix.AT_FDCWD, path, flags)
		return int64(fd), err
	}, "open_tree", "AT_FDCWD", Quote(path), "OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_RECURSIVE")
	return int(fd), err
}

// MoveMount attaches the detached mount fd at target and closes fd:
// move_mount(2), since Linux 5.2.
func (k *Kernel) MoveMount(fd int, target string) error {
	if !k.Dry {
		defer unix.Close(fd)
	}
	return k.do(func() error {
		return unix.MoveMount(fd, "", unix.AT_FDCWD, target, unix.MOVE_MOUNT_F_EMPTY_PATH)
	}, "move_mount", strconv.Itoa(fd), `""`, "AT_FDCWD", Quote(target), "MOVE_MOUNT_F_EMPTY_PATH")
}

// MapMount has the detached mount fd translate the owners of files by the maps of
// the user namespace that the file at users refers to: mount_setattr(2) with
// MOUNT_ATTR_IDMAP, since Linux 5.12. What is on the disk stays as it is.
func (k *Kernel) MapMount(fd int, users string) error {
	return k.do(func() error {
		ns, err := unix.Open(users, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(ns)
		return unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(ns)})
	}, "mount_setattr", strconv.Itoa(fd), `""`, "AT_EMPTY_PATH", "{attr_set=MOUNT_ATTR_IDMAP, userns_fd=<"+users+">}", strconv.Itoa(int(unsafe.Sizeof(unix.MountAttr{}))))
}

// MountTreeReadonly makes a mount and every mount below it read-only, all or
// none: mount_setattr(2), since Linux 5.12.
func (k *Kernel) MountTreeReadonly(target string) error {
	return k.do(func() error {
		return unix.MountSetattr(unix.AT_FDCWD, target, unix.AT_RECURSIVE, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY})
	}, "mount_setattr", "AT_FDCWD", Quote(target), "AT_RECURSIVE", "{attr_set=MOUNT_ATTR_RDONLY}", strconv.Itoa(int(unsafe.Sizeof(unix.MountAttr{}))))
}

// PivotRoot swaps the root mount: pivot_root(2).
func (k *Kernel) PivotRoot(newRoot, putOld string) error {
	return k.do(func() error { return unix.PivotRoot(newRoot, putOld) }, "pivot_root", Quote(newRoot), Quote(putOld))
}

// Chroot changes where "/" begins: chroot(2).
func (k *Kernel) Chroot(path string) error {
	return k.do(func() error { return unix.Chroot(path) }, "chroot", Quote(path))
}

// Chdir changes the working directory: chdir(2).
func (k *Kernel) Chdir(path string) error {
	return k.do(func() error { return unix.Chdir(path) }, "chdir", Quote(path))
}

// Sethostname names the UTS namespace: sethostname(2).
func (k *Kernel) Sethostname(name string) error {
	return k.do(func() error { return unix.Sethostname([]byte(name)) },
		"sethostname", Quote(name), strconv.Itoa(len(name)))
}

// Setdomainname sets the NIS domain name: setdomainname(2).
func (k *Kernel) Setdomainname(name string) error {
	return k.do(func() error { return unix.Setdomainname([]byte(name)) },
		"setdomainname", Quote(name), strconv.Itoa(len(name)))
}

// Mkdir makes a directory; one that is there already is no error: mkdir(2). Of
// this and the next three calls arm64 has only the forms that end in "at".
func (k *Kernel) Mkdir(path string, mode uint32) error {
	err := k.do(func() error { return unix.Mkdirat(unix.AT_FDCWD, path, mode) },
		"mkdirat", "AT_FDCWD", Quote(path), fmt.Sprintf("%#o", mode))
	if errors.Is(err, unix.EEXIST) {
		return nil
	}
	return err
}

// Rmdir removes an empty directory or control group: rmdir(2).
func (k *Kernel) Rmdir(path string) error {
	return k.do(func() error { return unix.Unlinkat(unix.AT_FDCWD, path, unix.AT_REMOVEDIR) },
		"unlinkat", "AT_FDCWD", Quote(path), "AT_REMOVEDIR")
}

// Symlink makes a symbolic link: symlink(2).
func (k *Kernel) Symlink(target, path string) error {
	return k.do(func() error { return unix.Symlinkat(target, unix.AT_FDCWD, path) },
		"symlinkat", Quote(target), "AT_FDCWD", Quote(path))
}

// Chown gives a file to another owner without following links: chown(2).
func (k *Kernel) Chown(path string, uid, gid int) error {
	return k.do(func() error { return unix.Fchownat(unix.AT_FDCWD, path, uid, gid, unix.AT_SYMLINK_NOFOLLOW) },
		"fchownat", "AT_FDCWD", Quote(path), strconv.Itoa(uid), strconv.Itoa(gid), "AT_SYMLINK_NOFOLLOW")
}

// Create makes an empty regular file to serve as a mount point: openat(2).
func (k *Kernel) Create(path string) error {
	_, err := k.call(func() (int64, error) {
		fd, err := unix.Open(path, unix.O_CREAT|unix.O_WRONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o644)
		if err != nil {
			return 0, err
		}
		return int64(fd), unix.Close(fd)
	}, "openat", "AT_FDCWD", Quote(path), "O_WRONLY|O_CREAT|O_CLOEXEC|O_NOFOLLOW", "0644")
	return err
}

// Write writes text to an existing file by one write(2), as the files of /proc
// and the control groups want it. It is recorded as strace -y shows it.
func (k *Kernel) Write(path, text string) error {
	_, err := k.call(func() (int64, error) {
		fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC|unix.O_TRUNC, 0)
		if err != nil {
			return 0, err
		}
		defer unix.Close(fd)
		n, err := unix.Write(fd, []byte(text))
		return int64(n), err
	}, "write", "<"+path+">", Quote(text), strconv.Itoa(len(text)))
	return err
}

// LinkUp sets IFF_UP on an interface of the thread's network namespace by
// ioctl(SIOCSIFFLAGS): netdevice(7).
func (k *Kernel) LinkUp(name string) error {
	return k.do(func() error {
		s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(s)
		r, err := unix.NewIfreq(name)
		if err != nil {
			return err
		}
		r.SetUint16(unix.IFF_UP)
		return unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, r)
	}, "ioctl", "<socket:AF_INET>", "SIOCSIFFLAGS", "{ifr_name="+Quote(name)+", ifr_flags=IFF_UP}")
}

// Netlink records a request that a netlink library makes: rtnetlink(7). kind is
// the message type (RTM_NEWLINK), body its gist. What it returns is not that of
// sendto(2), the number of bytes, but what the kernel answers: 0 or an errno,
// netlink(7).
func (k *Kernel) Netlink(kind, body string, f func() error) error {
	return k.do(f, "sendto", "<netlink>", "{type="+kind+", "+body+"}")
}

// NetlinkBatch is Netlink for several messages that go by one sendmsg(2), each
// given as its type and its gist.
func (k *Kernel) NetlinkBatch(messages []string, f func() error) error {
	args := []string{"<netlink>"}
	for _, m := range messages {
		args = append(args, "{type="+m+"}")
	}
	return k.do(f, "sendmsg", args...)
}

// strOrNull quotes s, or says NULL as the call gets it.
func strOrNull(s string) string {
	if s == "" {
		return "NULL"
	}
	return Quote(s)
}

// Quote puts s between double quotes as strace does.
func Quote(s string) string {
	return strconv.Quote(strings.ToValidUTF8(s, "?"))
}
