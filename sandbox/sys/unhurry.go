package sys

import (
	"os"

	"golang.org/x/sys/unix"
)

// Unhurry lets the thread by which the Go runtime looks after its others be woken up
// a millisecond later than it asks to be: proc_pid_timerslack_ns(5). It asks for 20
// microseconds, and while a container starts that takes a tenth of a processor, which
// other threads have work for. Where nothing can be done about it, nothing is.
func Unhurry() {
	// Both name threads as the mounted /proc does, whose PID namespace may be another
	// than ours.
	first, err := os.Readlink("/proc/self")
	if err != nil {
		return
	}
	dir, err := OpenDirectory("/proc/self/task")
	if err != nil {
		return
	}
	defer dir.Close()
	threads, err := dir.Names() // oldest first
	if err != nil || len(threads) < 2 || threads[0] != first {
		return
	}
	if fd, err := unix.Open("/proc/"+threads[1]+"/timerslack_ns", unix.O_WRONLY|unix.O_CLOEXEC, 0); err == nil {
		_, _ = unix.Write(fd, []byte("1000000"))
		_ = unix.Close(fd)
	}
}
