package main

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

// overwrite tries to change the program that a process was started from, as
// CVE-2019-5736 does: it takes hold of /proc/PID/exe, waits until the process has
// executed another program or is gone, for until then the kernel says ETXTBSY,
// and opens what it holds once more, now to write. The one byte that it writes is
// the one that is there.
func overwrite(args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	exe := "/proc/" + args[0] + "/exe"
	held, err := os.Open(exe)
	if err != nil {
		return refusal("open "+exe, err)
	}
	defer held.Close()
	program, err := os.Readlink(exe)
	if err != nil {
		return refusal("readlink "+exe, err)
	}
	fmt.Println("holding:", program)
	deadline := time.Now().Add(10 * time.Second)
	for now := program; err == nil && now == program; now, err = os.Readlink(exe) {
		if time.Now().After(deadline) {
			return fmt.Errorf("process %s still runs %s", args[0], program)
		}
		time.Sleep(time.Millisecond)
	}
	again := fmt.Sprintf("/proc/self/fd/%d", held.Fd())
	fd, err := syscall.Open(again, syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	for err == syscall.ETXTBSY && time.Now().Before(deadline) { // its memory goes a moment after its name
		time.Sleep(time.Millisecond)
		fd, err = syscall.Open(again, syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	}
	if err == nil {
		defer syscall.Close(fd)
		one := make([]byte, 1)
		if _, err = syscall.Pread(fd, one, 0); err == nil {
			again = "what was opened to write"
			_, err = syscall.Pwrite(fd, one, 0)
		}
	}
	if err != nil {
		fmt.Println("written: no:", refusal(again, err))
		return errRefused
	}
	fmt.Println("written: yes")
	return nil
}
