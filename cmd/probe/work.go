package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

// Jobs of a fixed size, for comparing places to run in: how long each took there,
// by the clock there. A job that costs one call is repeated, and the mean told.
var jobs = map[string]func() (nanoseconds float64, err error){
	"integer": integerJob, "hash": hashJob, "getpid": getpidJob, "open": openJob, "switch": switchJob,
}

// work does jobs and prints, for each, its name and the nanoseconds it took.
func work(args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	runtime.LockOSThread()
	for _, name := range args {
		job, known := jobs[name]
		if !known {
			return errUsage
		}
		took, err := job()
		if err != nil {
			return err
		}
		fmt.Printf("%s %.1f\n", name, took)
	}
	return nil
}

// each gives the mean time of n turns of f.
func each(n int, f func() error) (float64, error) {
	begin := time.Now()
	for range n {
		if err := f(); err != nil {
			return 0, err
		}
	}
	return float64(time.Since(begin).Nanoseconds()) / float64(n), nil
}

// integerJob is ten million steps of a shift-register generator (Marsaglia,
// Xorshift RNGs, 2003): additions of no memory, no call, no branch that misses.
func integerJob() (float64, error) {
	x := uint64(88172645463325252)
	return each(1, func() error {
		for range 10_000_000 {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
		}
		runtime.KeepAlive(x)
		return nil
	})
}

// hashJob is SHA-256 over 8 MiB, with the instructions for it where the processor
// has them.
func hashJob() (float64, error) {
	block, h := make([]byte, 64<<10), sha256.New()
	return each(1, func() error {
		for range 128 {
			h.Write(block) // never an error: hash.Hash
		}
		return nil
	})
}

// getpidJob makes a call that does next to nothing: what entering the kernel
// costs, with the filters that lie on the way.
func getpidJob() (float64, error) {
	return each(20_000, func() error {
		syscall.RawSyscall(syscall.SYS_GETPID, 0, 0, 0)
		return nil
	})
}

// openJob opens and closes a file in the directory for temporary ones.
func openJob() (float64, error) {
	f, err := os.CreateTemp("", "probe-")
	if err != nil {
		return 0, refusal("open", err)
	}
	defer f.Close()
	defer os.Remove(f.Name())
	return each(2_000, func() error {
		fd, err := syscall.Open(f.Name(), syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		if err != nil {
			return refusal("open", err)
		}
		return syscall.Close(fd)
	})
}

// switchJob sends a byte to and fro between two processes on one processor, over
// two pipes: each way the kernel has to switch from one to the other.
func switchJob() (float64, error) {
	if err := stayOnOne(); err != nil {
		return 0, refusal("sched_setaffinity", err)
	}
	var there, back [2]int
	if err := syscall.Pipe2(there[:], syscall.O_CLOEXEC); err != nil {
		return 0, refusal("pipe2", err)
	}
	if err := syscall.Pipe2(back[:], syscall.O_CLOEXEC); err != nil {
		return 0, refusal("pipe2", err)
	}
	var b byte
	p := uintptr(unsafe.Pointer(&b))
	pass := func(from, to int) bool {
		n, _, _ := syscall.RawSyscall(syscall.SYS_READ, uintptr(from), p, 1)
		m, _, _ := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(to), p, 1)
		return n == 1 && m == 1
	}
	pid, e := rawFork()
	if e != 0 {
		return 0, refusal("fork", e)
	}
	if pid == 0 {
		syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(there[1]), 0, 0) // so that it ends with us
		for pass(there[0], back[1]) {
		}
		rawExit()
	}
	took, err := each(2_000, func() error {
		if n, _, e := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(there[1]), p, 1); n != 1 {
			return refusal("write", e)
		}
		if n, _, e := syscall.RawSyscall(syscall.SYS_READ, uintptr(back[0]), p, 1); n != 1 {
			return refusal("read", e)
		}
		return nil
	})
	syscall.Close(there[1]) // the child reads that, and ends
	if _, waitErr := syscall.Wait4(int(pid), nil, 0, nil); err == nil && waitErr != nil {
		err = refusal("wait4", waitErr)
	}
	return took / 2, err
}
