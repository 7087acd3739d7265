package main

import (
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

// A Go program has several threads, and some calls look at that: unshare(2)
// refuses CLONE_NEWUSER with EINVAL, setuid(2) changes the calling thread
// alone. So the probes work in a forked child, which has one thread, and whose
// credentials, root and hostname-to-be die with it.
//
// The child shares no memory with its parent but has a copy of it, in which no
// other goroutine runs and none may be woken. Between the fork and its end it
// therefore makes raw system calls only: no allocation, no printing, nothing
// that needs the Go runtime.

// word is one argument of a system call: a number, or a pointer, kept as one so
// that the collector sees it.
type word struct {
	n    uintptr
	p    unsafe.Pointer
	text string // as strace would print it
}

func (w word) value() uintptr {
	if w.p != nil {
		return uintptr(w.p)
	}
	return w.n
}

// outcome is what a call in the child returned. It lives in a page that parent
// and child share.
type outcome struct {
	done   bool // false: the child died before the call returned
	stuck  bool // a call that was to prepare for it failed, and these are its results
	ret    uintptr
	errno  syscall.Errno
	signal syscall.Signal // what killed the child, if something did
}

// inChild makes system calls in a forked child, all of which but the last only
// prepare for it, and brings the last one's result home. The error is about the
// fork, never about a call.
func inChild(calls ...syscallForm) (outcome, error) {
	page, err := syscall.Mmap(-1, 0, syscall.Getpagesize(),
		syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED|syscall.MAP_ANON)
	if err != nil {
		return outcome{}, refusal("mmap", err)
	}
	defer syscall.Munmap(page)
	shared := (*outcome)(unsafe.Pointer(&page[0]))
	raw := make([][7]uintptr, len(calls))
	for i, c := range calls {
		raw[i][0] = c.trap
		for j, w := range c.args {
			raw[i][1+j] = w.value()
		}
	}

	pid, e := rawFork()
	if e != 0 {
		return outcome{}, refusal("fork", e)
	}
	if pid == 0 {
		for i := range raw {
			c := &raw[i]
			shared.ret, _, shared.errno = syscall.RawSyscall6(c[0], c[1], c[2], c[3], c[4], c[5], c[6])
			if shared.errno != 0 && i < len(raw)-1 {
				shared.stuck = true
				break
			}
		}
		shared.done = true
		rawExit()
	}
	runtime.KeepAlive(calls)
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(int(pid), &status, 0, nil); err != nil {
		return outcome{}, refusal("wait4", err)
	}
	if status.Signaled() {
		shared.signal = status.Signal()
	}
	return *shared, nil
}

// rawFork is fork(2): clone(2) with nothing shared. It returns twice, the
// second time with pid 0 in the child.
//
//go:nosplit
func rawFork() (pid uintptr, e syscall.Errno) {
	pid, _, e = syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
	return pid, e
}

// rawExit ends the child.
//
//go:nosplit
func rawExit() {
	for {
		syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 0, 0, 0)
	}
}

// rawSleep sleeps for d without leaving the thread to the Go scheduler. The
// runtime interrupts threads with SIGURG, hence the loop: nanosleep(2) writes
// what is left back into its argument.
//
//go:nosplit
func rawSleep(d time.Duration) {
	left := syscall.Timespec{Sec: int64(d / time.Second), Nsec: int64(d % time.Second)}
	for {
		_, _, e := syscall.RawSyscall(syscall.SYS_NANOSLEEP,
			uintptr(unsafe.Pointer(&left)), uintptr(unsafe.Pointer(&left)), 0)
		if e != syscall.EINTR {
			return
		}
	}
}
