package main

import (
	"fmt"
	"runtime"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

// threadClock counts the processor time of one thread: clock_getres(2),
// CLOCK_THREAD_CPUTIME_ID.
const threadClock = 3

// spin computes until it has had SECONDS of processor time, and says how long
// that took: with a quota (cpu.max) longer, for the rest of each period it waits.
func spin(args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	want, err := seconds(args)
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	begin := time.Now()
	used, err := compute(func(used time.Duration) bool { return used < want })
	if err != nil {
		return err
	}
	fmt.Printf("%.2f s of processor time in %.2f s\n", used.Seconds(), time.Since(begin).Seconds())
	return nil
}

// share computes on one processor, always the same, for SECONDS, and says how
// much of it was its own. With a start, in seconds since 1970, two of them
// compete for exactly the same time.
func share(args []string) error {
	if len(args) < 1 || len(args) > 2 {
		return errUsage
	}
	length, err := seconds(args[:1])
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	if err := stayOnOne(); err != nil {
		return refusal("sched_setaffinity", err)
	}
	begin := time.Now()
	if len(args) == 2 {
		at, err := strconv.ParseFloat(args[1], 64)
		if err != nil {
			return errUsage
		}
		begin = time.UnixMilli(int64(at * 1000))
		rawSleep(time.Until(begin))
	}
	end := begin.Add(length)
	used, err := compute(func(time.Duration) bool { return time.Now().Before(end) })
	if err != nil {
		return err
	}
	took := time.Since(begin).Seconds()
	fmt.Printf("%.0f %% of a processor for %.2f s\n", 100*used.Seconds()/took, took)
	return nil
}

// compute keeps this thread busy while more says so, and gives the processor
// time it took.
func compute(more func(used time.Duration) bool) (used time.Duration, err error) {
	start, err := readClock(threadClock)
	if err != nil {
		return 0, refusal("clock_gettime", err)
	}
	for more(used) {
		for range 10000 { // looking at the clock is no work
			runtime.KeepAlive(used)
		}
		now, err := readClock(threadClock)
		if err != nil {
			return 0, refusal("clock_gettime", err)
		}
		used = time.Duration(now.Nano() - start.Nano())
	}
	return used, nil
}

// stayOnOne binds this thread to the first of the processors it may use:
// sched_setaffinity(2).
func stayOnOne() error {
	var mask [128]byte // 1024 processors
	n, _, e := syscall.RawSyscall(syscall.SYS_SCHED_GETAFFINITY, 0, unsafe.Sizeof(mask), uintptr(unsafe.Pointer(&mask)))
	if e != 0 {
		return e
	}
	for i := range mask[:n] {
		if lowest := mask[i] & -mask[i]; lowest != 0 {
			mask = [128]byte{}
			mask[i] = lowest
			break
		}
	}
	_, _, e = syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, unsafe.Sizeof(mask), uintptr(unsafe.Pointer(&mask)))
	if e != 0 {
		return e
	}
	return nil
}
