package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// write writes SIZE bytes to a new FILE in pieces that go straight to the disk
// (O_DIRECT, open(2)), says how long that took, and removes the file. What goes
// by way of the page cache is charged later, to whoever writes it out: on cgroup
// v1 to nobody at all.
func write(args []string) error {
	if len(args) != 2 {
		return errUsage
	}
	size, err := bytesOf(args[0])
	if err != nil {
		return err
	}
	const piece = 128 << 10
	page, err := syscall.Mmap(-1, 0, piece, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return refusal("mmap", err)
	}
	defer syscall.Munmap(page)
	f, err := os.OpenFile(args[1], os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_DIRECT, 0o600)
	if err != nil {
		return refusal("open O_DIRECT "+args[1], err)
	}
	defer os.Remove(args[1])
	defer f.Close()
	begin := time.Now()
	for left := size; left > 0; left -= piece {
		if _, err := f.Write(page[:min(left, piece)]); err != nil {
			return errors.Join(fmt.Errorf("wrote %d of %d", size-left, size), refusal("write", err))
		}
	}
	fmt.Printf("wrote %s in %.2f s\n", args[0], time.Since(begin).Seconds())
	return nil
}
