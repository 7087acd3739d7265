package main

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

// What disk writes and reads: blocks that are each made durable, and a file.
const (
	diskSyncs = 10
	diskBlock = 4 << 10
	diskFile  = 8 << 20
	diskPiece = 128 << 10
)

// disk writes blocks to a new file in DIR and has each made durable (fsync(2)),
// then writes a longer file and reads it back after telling the kernel to drop it
// from the page cache (posix_fadvise(2)). It prints nanoseconds an fsync and
// bytes read a second. The files have no name while they are used.
func disk(args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	f, err := nameless(args[0])
	if err != nil {
		return err
	}
	defer f.Close()
	piece := make([]byte, diskPiece)
	synced, err := each(diskSyncs, func() error {
		if _, err := f.Write(piece[:diskBlock]); err != nil {
			return refusal("write", err)
		}
		return f.Sync()
	})
	if err != nil {
		return err
	}
	for range diskFile / diskPiece {
		if _, err := f.Write(piece); err != nil {
			return refusal("write", err)
		}
	}
	if err := f.Sync(); err != nil {
		return refusal("fsync", err)
	}
	const dontNeed = 4 // POSIX_FADV_DONTNEED
	if _, _, e := syscall.Syscall6(syscall.SYS_FADVISE64, f.Fd(), 0, 0, dontNeed, 0, 0); e != 0 {
		return refusal("fadvise64", e)
	}
	if _, err := f.Seek(0, 0); err != nil {
		return refusal("lseek", err)
	}
	begin := time.Now()
	got := 0
	for got < diskFile {
		n, err := f.Read(piece)
		if err != nil {
			return refusal("read", err)
		}
		got += n
	}
	fmt.Printf("fsync %.1f\nread %.1f\n", synced, float64(got)/time.Since(begin).Seconds())
	return nil
}

// nameless opens a new file in dir and removes its name.
func nameless(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "probe-")
	if err != nil {
		return nil, refusal("open in "+dir, err)
	}
	return f, os.Remove(f.Name())
}
