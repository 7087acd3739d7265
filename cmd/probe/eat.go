package main

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// eat maps SIZE bytes and writes to every page, because memory is charged to a
// cgroup when it is first touched and not when it is mapped. At memory.max with
// nothing left to reclaim the OOM killer ends it, and no line is printed: the
// proof is then in memory.events.
func eat(args []string) error {
	if len(args) < 1 || len(args) > 2 {
		return errUsage
	}
	size, err := bytesOf(args[0])
	if err != nil {
		return err
	}
	hold, err := seconds(args[1:])
	if err != nil {
		return err
	}
	mem, err := syscall.Mmap(-1, 0, size,
		syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return refusal("mmap "+args[0], err)
	}
	for i := 0; i < size; i += syscall.Getpagesize() {
		mem[i] = 1
	}
	fmt.Println("touched", args[0])
	time.Sleep(hold)
	return syscall.Munmap(mem)
}

// bytesOf reads a size such as 4096, 64K, 128M or 1G, in powers of 1024.
func bytesOf(s string) (int, error) {
	number, shift := s, 0
	if i := strings.IndexAny(s, "KMG"); i >= 0 && i == len(s)-1 {
		number, shift = s[:i], 10*(1+strings.IndexByte("KMG", s[i]))
	}
	n, err := strconv.Atoi(number)
	if err != nil || n <= 0 || n > 1<<40>>shift {
		return 0, errUsage
	}
	return n << shift, nil
}
