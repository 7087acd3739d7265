package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"
)

// fork makes children until there are N or the kernel refuses: EAGAIN is the
// pids controller's answer at pids.max, and RLIMIT_NPROC's (fork(2)). It holds
// them for SECONDS, so that pids.current can be looked at, then kills and reaps
// them.
//
// At the limit this process cannot have another thread either, and the Go
// runtime aborts when it wants one and is refused. So there is nothing here for
// a second thread to do: one processor, no collection, raw calls that the
// scheduler does not see, and no printing before the children are gone.
func fork(args []string) error {
	if len(args) < 1 || len(args) > 2 {
		return errUsage
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 1 {
		return errUsage
	}
	hold, err := seconds(args[1:])
	if err != nil {
		return err
	}
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(-1)
	pids, e := spawn(make([]uintptr, 0, n))
	rawSleep(hold)
	for _, pid := range pids {
		syscall.RawSyscall(syscall.SYS_KILL, pid, uintptr(syscall.SIGKILL), 0)
	}
	for _, pid := range pids {
		for again := syscall.EINTR; again == syscall.EINTR; {
			_, _, again = syscall.RawSyscall6(syscall.SYS_WAIT4, pid, 0, 0, 0, 0, 0)
		}
	}
	if e != 0 {
		fmt.Printf("forked %d of %d, then: clone(SIGCHLD) %s\n", len(pids), n, result(0, e))
		return errRefused
	}
	fmt.Printf("forked %d of %d\n", len(pids), n)
	return nil
}

// spawn fills pids up to its capacity with children that sleep until killed,
// and gives the errno of the first refusal.
func spawn(pids []uintptr) ([]uintptr, syscall.Errno) {
	for len(pids) < cap(pids) {
		pid, e := rawFork()
		if e != 0 {
			return pids, e
		}
		if pid == 0 {
			// They must not outlive a parent that was killed.
			syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0)
			rawSleep(time.Hour)
			rawExit()
		}
		pids = append(pids, pid)
	}
	return pids, 0
}

// seconds reads an optional number of seconds.
func seconds(args []string) (time.Duration, error) {
	if len(args) == 0 {
		return 0, nil
	}
	s, err := strconv.ParseFloat(args[0], 64)
	if err != nil || s < 0 || s > 3600 {
		return 0, errUsage
	}
	return time.Duration(s * float64(time.Second)), nil
}
