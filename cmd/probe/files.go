package main

import (
	"fmt"
	"strconv"
	"syscall"
)

// files opens the root directory until it has N descriptors for it or the kernel
// refuses: EMFILE is the answer at RLIMIT_NOFILE, getrlimit(2). They are closed
// by the end of the process.
func files(args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 1 {
		return errUsage
	}
	for opened := range n {
		if _, err := syscall.Open("/", syscall.O_RDONLY|syscall.O_CLOEXEC, 0); err != nil {
			e, _ := err.(syscall.Errno)
			fmt.Printf("opened %d of %d, then: openat %s\n", opened, n, result(0, e))
			return errRefused
		}
	}
	fmt.Printf("opened %d of %d\n", n, n)
	return nil
}
