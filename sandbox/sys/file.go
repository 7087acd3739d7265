package sys

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// FD is an open file or directory, used without the runtime's poller and by
// names relative to it. Its methods are thin: one system call each, the error
// the bare Errno, nothing recorded. Names given to methods other than In must
// be single path components: the kernel would follow symbolic links in the
// others.
type FD int

// FileStat is what stat(2) tells of a file.
type FileStat = unix.Stat_t

// OpenDirectory opens the directory at path, which may be a symbolic link.
func OpenDirectory(path string) (FD, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	return FD(fd), err
}

// In opens the directory at path as if d were "/": neither "..", nor an
// absolute name, nor a symbolic link leads out of d (openat2(2),
// RESOLVE_IN_ROOT, since Linux 5.6). Magic links of /proc are refused.
func (d FD) In(path string) (FD, error) {
	fd, err := unix.Openat2(int(d), path, &unix.OpenHow{
		Flags:   unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
	return FD(fd), err
}

// Create makes a new regular file, readable by its owner only, for writing.
// Anything of that name already there is EEXIST, a symbolic link included.
func (d FD) Create(name string) (FD, error) {
	fd, err := unix.Openat(int(d), name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	return FD(fd), err
}

// Nameless makes a file in a directory, for its owner to read and write, that
// has no name and is gone when it is closed, or when the process is killed:
// O_TMPFILE, open(2). EOPNOTSUPP where the file system knows no such thing.
func Nameless(dir string) (*os.File, error) {
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), dir), nil
}

// NamelessCopy puts program into a file of Nameless and returns a descriptor to
// execute it by; a file that is open for writing cannot be: execve(2), ETXTBSY.
func NamelessCopy(dir string, program io.Reader) (int, error) {
	file, err := Nameless(dir)
	if err != nil {
		return -1, fmt.Errorf("make a file in %s: %w", dir, err)
	}
	defer file.Close()
	if _, err := io.Copy(file, program); err != nil {
		return -1, err
	}
	return unix.Open("/proc/self/fd/"+strconv.Itoa(int(file.Fd())), unix.O_RDONLY|unix.O_CLOEXEC, 0)
}

// Name gives a file of Nameless its name; one that is taken is EEXIST. The way
// through /proc is the one that needs no privilege: linkat(2).
func Name(f *os.File, path string) error {
	return unix.Linkat(unix.AT_FDCWD, "/proc/self/fd/"+strconv.Itoa(int(f.Fd())), unix.AT_FDCWD, path, unix.AT_SYMLINK_FOLLOW)
}

// Close closes the descriptor.
func (d FD) Close() error { return unix.Close(int(d)) }

// Write writes all of b (io.Writer).
func (d FD) Write(b []byte) (int, error) {
	done := 0
	for done < len(b) {
		n, err := unix.Write(int(d), b[done:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return done, err
		}
		done += n
	}
	return done, nil
}

// Skip leaves a hole of n bytes at the file's offset (lseek(2)).
func (d FD) Skip(n int64) error {
	_, err := unix.Seek(int(d), n, unix.SEEK_CUR)
	return err
}

// Truncate sets the file's size (ftruncate(2)).
func (d FD) Truncate(size int64) error { return unix.Ftruncate(int(d), size) }

// Stat describes d itself.
func (d FD) Stat() (FileStat, error) {
	var st FileStat
	return st, unix.Fstat(int(d), &st)
}

// Lstat describes name in d without following a symbolic link.
func (d FD) Lstat(name string) (FileStat, error) {
	var st FileStat
	return st, unix.Fstatat(int(d), name, &st, unix.AT_SYMLINK_NOFOLLOW)
}

// Names lists the directory d.
func (d FD) Names() ([]string, error) {
	fd, err := unix.Openat(int(d), ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "directory")
	defer f.Close()
	return f.Readdirnames(-1)
}

// Mkdir makes a directory that only its owner can use.
func (d FD) Mkdir(name string) error { return unix.Mkdirat(int(d), name, 0o700) }

// Symlink makes name a symbolic link to target.
func (d FD) Symlink(target, name string) error { return unix.Symlinkat(target, int(d), name) }

// Link makes name in dir another name of old in d; a symbolic link is linked
// itself.
func (d FD) Link(old string, dir FD, name string) error {
	return unix.Linkat(int(d), old, int(dir), name, 0)
}

// Mkfifo makes a named pipe: fifo(7).
func (d FD) Mkfifo(name string) error { return unix.Mknodat(int(d), name, unix.S_IFIFO|0o600, 0) }

// Whiteout makes the character device 0:0 by which overlayfs hides a name of
// the layers below. No privilege is needed since Linux 5.8: mknod(2).
func (d FD) Whiteout(name string) error { return unix.Mknodat(int(d), name, unix.S_IFCHR, 0) }

// Remove removes name from d; a directory must be empty.
func (d FD) Remove(name string, directory bool) error {
	flags := 0
	if directory {
		flags = unix.AT_REMOVEDIR
	}
	return unix.Unlinkat(int(d), name, flags)
}

// Chown gives d to another owner. It clears set-user-ID bits: chown(2).
func (d FD) Chown(uid, gid int) error { return unix.Fchown(int(d), uid, gid) }

// ChownName gives name in d to another owner without following a link.
func (d FD) ChownName(name string, uid, gid int) error {
	return unix.Fchownat(int(d), name, uid, gid, unix.AT_SYMLINK_NOFOLLOW)
}

// Chmod sets permission, set-ID and sticky bits, untouched by the umask.
func (d FD) Chmod(mode uint32) error { return unix.Fchmod(int(d), mode) }

// ChmodName is Chmod for name in d, which must not be a symbolic link.
func (d FD) ChmodName(name string, mode uint32) error { return unix.Fchmodat(int(d), name, mode, 0) }

// SetTimes sets the access and modification time of d: utimensat(2) with
// AT_EMPTY_PATH, since Linux 5.8.
func (d FD) SetTimes(atime, mtime time.Time) error {
	ts := []unix.Timespec{timespec(atime), timespec(mtime)}
	return unix.UtimesNanoAt(int(d), "", ts, unix.AT_EMPTY_PATH)
}

// SetTimesName is SetTimes for name in d; a symbolic link is not followed.
func (d FD) SetTimesName(name string, atime, mtime time.Time) error {
	ts := []unix.Timespec{timespec(atime), timespec(mtime)}
	return unix.UtimesNanoAt(int(d), name, ts, unix.AT_SYMLINK_NOFOLLOW)
}

func timespec(t time.Time) unix.Timespec {
	return unix.Timespec{Sec: t.Unix(), Nsec: int64(t.Nanosecond())}
}

// SetXattr sets an extended attribute of d: xattr(7).
func (d FD) SetXattr(key string, value []byte) error { return unix.Fsetxattr(int(d), key, value, 0) }

// SetXattrName sets an extended attribute of name in d; a symbolic link is not
// followed. The call takes no directory descriptor, hence the way through /proc.
func (d FD) SetXattrName(name, key string, value []byte) error {
	return unix.Lsetxattr("/proc/self/fd/"+strconv.Itoa(int(d))+"/"+name, key, value, 0)
}

// RemoveXattr removes an extended attribute of d.
func (d FD) RemoveXattr(key string) error { return unix.Fremovexattr(int(d), key) }

// Xattrs returns the extended attributes of d.
func (d FD) Xattrs() (map[string][]byte, error) {
	return xattrs(
		func(list []byte) (int, error) { return unix.Flistxattr(int(d), list) },
		func(key string, value []byte) (int, error) { return unix.Fgetxattr(int(d), key, value) })
}

// Xattrs returns the extended attributes of the file at path; a symbolic link
// is not followed.
func Xattrs(path string) (map[string][]byte, error) {
	return xattrs(
		func(list []byte) (int, error) { return unix.Llistxattr(path, list) },
		func(key string, value []byte) (int, error) { return unix.Lgetxattr(path, key, value) })
}

// xattrMax is the most the kernel returns for a list of names or for one
// value, in bytes (XATTR_LIST_MAX, XATTR_SIZE_MAX): xattr(7).
const xattrMax = 64 << 10

// xattrs collects what list names and get returns. A file system without
// extended attributes has none, which is no error.
func xattrs(list func([]byte) (int, error), get func(string, []byte) (int, error)) (map[string][]byte, error) {
	buf := make([]byte, xattrMax)
	n, err := list(buf)
	if err == unix.EOPNOTSUPP || n == 0 && err == nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found := map[string][]byte{}
	for _, key := range strings.Split(strings.TrimSuffix(string(buf[:n]), "\x00"), "\x00") {
		value := make([]byte, xattrMax)
		n, err := get(key, value)
		if err != nil {
			return nil, err
		}
		found[key] = value[:n:n]
	}
	return found, nil
}

// Xattr returns one extended attribute of the file at path, nil if it has none
// of that name; a symbolic link is not followed. Values over 256 bytes are
// ERANGE.
func Xattr(path, key string) ([]byte, error) {
	value := make([]byte, 256)
	n, err := unix.Lgetxattr(path, key, value)
	if err == unix.ENODATA || err == unix.EOPNOTSUPP {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return value[:n], nil
}

// Flock locks d, exclusively or shared, without waiting: EWOULDBLOCK means
// somebody else holds it. The lock goes with the last descriptor: flock(2).
func (d FD) Flock(exclusive bool) error {
	how := unix.LOCK_SH
	if exclusive {
		how = unix.LOCK_EX
	}
	return unix.Flock(int(d), how|unix.LOCK_NB)
}
