package sys

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// OpenPTY opens a new pseudo-terminal of the devpts instance mounted at dir:
// ptmx, TIOCSPTLCK, then TIOCGPTPEER, which opens the other end without going
// through a path that the container could have changed: ioctl_tty(2).
func (k *Kernel) OpenPTY(dir string) (master, slave int, err error) {
	const flags = unix.O_RDWR | unix.O_NOCTTY | unix.O_CLOEXEC
	if k.Dry {
		k.Record("ioctl", []string{"<" + dir + "/ptmx>", "TIOCGPTPEER"}, 0, nil)
		return -1, -1, nil
	}
	master, err = unix.Open(dir+"/ptmx", flags, 0)
	if err != nil {
		return -1, -1, fmt.Errorf("open %s/ptmx: %w", dir, err)
	}
	if err = unix.IoctlSetPointerInt(master, unix.TIOCSPTLCK, 0); err != nil {
		unix.Close(master)
		return -1, -1, fmt.Errorf("unlock %s/ptmx: %w", dir, err)
	}
	got, err := k.call(func() (int64, error) {
		fd, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(master), unix.TIOCGPTPEER, flags)
		if e != 0 {
			return -1, e
		}
		return int64(fd), nil
	}, "ioctl", "<"+dir+"/ptmx>", "TIOCGPTPEER", "O_RDWR|O_NOCTTY")
	if err != nil {
		unix.Close(master)
		return -1, -1, fmt.Errorf("open the other end of %s/ptmx: %w", dir, err)
	}
	return master, int(got), nil
}

// Interruptible gives f once more, so that a read of it ends when it is closed, or
// at a deadline, and closes f. What package os does not open itself, or was asked
// for its descriptor, waits in read(2): for a terminal's master, until the last
// process has let go of the terminal.
func Interruptible(f *os.File) (*os.File, error) {
	defer f.Close()
	fd, err := DupAbove(int(f.Fd()), 0)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("make reads of %s interruptible: %w", f.Name(), err)
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// SetWindow sets the size of a terminal's window, in rows and columns, and leaves
// f interruptible: TIOCSWINSZ, ioctl_tty(2).
func SetWindow(f *os.File, rows, columns uint16) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = conn.Control(func(fd uintptr) {
		failed = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns})
	})
	return errors.Join(err, failed)
}

// Setsid starts a new session: setsid(2).
func (k *Kernel) Setsid() error {
	_, err := k.call(func() (int64, error) {
		sid, err := unix.Setsid()
		return int64(sid), err
	}, "setsid")
	return err
}

// ControllingTTY makes fd the controlling terminal of the session and puts it
// on descriptors 0, 1 and 2: TIOCSCTTY, ioctl_tty(2).
func (k *Kernel) ControllingTTY(fd int) error {
	err := k.do(func() error { return unix.IoctlSetInt(fd, unix.TIOCSCTTY, 0) }, "ioctl", strconv.Itoa(fd), "TIOCSCTTY", "0")
	if err != nil || k.Dry {
		return err
	}
	for std := range 3 {
		if err := unix.Dup3(fd, std, 0); err != nil {
			return err
		}
	}
	return unix.Close(fd)
}

// DupAbove gives another descriptor for what fd is open on, numbered at least
// lowest: F_DUPFD_CLOEXEC, fcntl(2).
func DupAbove(fd, lowest int) (int, error) {
	above, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, lowest)
	if err != nil {
		return -1, fmt.Errorf("duplicate descriptor %d: %w", fd, err)
	}
	return above, nil
}

// CloseFD closes a descriptor.
func CloseFD(fd int) { unix.Close(fd) }

// Readable waits until fd can be read and returns true, or until wake can be
// read or is closed at its other end, and returns false: poll(2).
func Readable(fd, wake int) bool {
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(wake), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(p, -1)
		if err == unix.EINTR {
			continue
		}
		return err == nil && p[1].Revents == 0
	}
}

// Read reads from a descriptor: read(2).
func Read(fd int, buf []byte) (int, error) { return unix.Read(fd, buf) }
