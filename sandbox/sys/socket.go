package sys

import (
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Socket is one end of the socketpair between host and init. SOCK_SEQPACKET
// keeps message borders and tells the end of the other side by an empty read:
// unix(7).
type Socket struct{ FD int }

// Pair makes the two connected ends, both close-on-exec.
func Pair() (a, b Socket, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return a, b, fmt.Errorf("socketpair: %w", err)
	}
	return Socket{fds[0]}, Socket{fds[1]}, nil
}

// CloseOnExec marks the descriptor so that the payload does not inherit it: its
// closing is how the host learns that execve succeeded. So are all above it
// marked.
func (s Socket) CloseOnExec() { closeOnExecFrom(s.FD) }

// closeOnExecFrom marks all descriptors from first on: whoever started this
// process may have left files of the host open, and a directory among them would
// be a way out of a container (CVE-2024-21626).
func closeOnExecFrom(first int) {
	// close_range(2), with this flag since Linux 5.11.
	if unix.CloseRange(uint(first), math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC) == nil {
		return
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil { // without a /proc nobody knows more than the first
		unix.CloseOnExec(first)
		return
	}
	for _, f := range open {
		if n, err := strconv.Atoi(f.Name()); err == nil && n >= first {
			unix.CloseOnExec(n)
		}
	}
}

// Ready reports whether Receive would return at once, waiting at most d.
func (s Socket) Ready(d time.Duration) bool { return readable(s.FD, d) }

// Close closes this end.
func (s Socket) Close() error { return unix.Close(s.FD) }

// Send sends one message, with a descriptor beside it when fd is not -1
// (SCM_RIGHTS).
func (s Socket) Send(msg []byte, fd int) error {
	var rights []byte
	if fd >= 0 {
		rights = unix.UnixRights(fd)
	}
	for {
		err := unix.Sendmsg(s.FD, msg, rights, nil, unix.MSG_NOSIGNAL)
		if err != unix.EINTR {
			return err
		}
	}
}

// Receive reads one message into buf. It returns io.EOF when the other side has
// closed; fd is -1 unless a descriptor came along.
func (s Socket) Receive(buf []byte) (n, fd int, err error) {
	oob := make([]byte, unix.CmsgSpace(4))
	for {
		var oobn, flags int
		n, oobn, flags, _, err = unix.Recvmsg(s.FD, buf, oob, unix.MSG_CMSG_CLOEXEC)
		if err == unix.EINTR {
			continue
		}
		if err == unix.ECONNRESET { // the other side died with our message unread
			return 0, -1, io.EOF
		}
		if err != nil {
			return 0, -1, err
		}
		if n == 0 && oobn == 0 {
			return 0, -1, io.EOF
		}
		if flags&unix.MSG_TRUNC != 0 {
			return 0, -1, unix.EMSGSIZE
		}
		return n, passedFD(oob[:oobn]), nil
	}
}

func passedFD(oob []byte) int {
	msgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil || len(msgs) == 0 {
		return -1
	}
	fds, err := unix.ParseUnixRights(&msgs[0])
	if err != nil || len(fds) == 0 {
		return -1
	}
	return fds[0]
}

// HungUp reports whether the other side is gone, without waiting.
func (s Socket) HungUp() bool {
	p := []unix.PollFd{{Fd: int32(s.FD)}}
	n, err := unix.Poll(p, 0)
	return err == nil && n == 1 && p[0].Revents&unix.POLLHUP != 0
}
