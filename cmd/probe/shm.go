package main

import (
	"fmt"
	"strconv"
	"syscall"
	"unsafe"
)

// The System V interface, shmget(2), shmop(2), shmctl(2). The key is ours: the
// letters "cut". The same key names another segment in another IPC namespace.
const (
	shmKey  = 0x637574
	shmSize = 4096

	ipcCreat = 0o1000 // IPC_CREAT
	ipcRmid  = 0      // IPC_RMID
)

// shm makes a segment that stays after this process has ended, as such segments
// do until someone removes them or their IPC namespace goes.
func shm(args []string) error {
	if len(args) == 2 && args[0] == "-rm" {
		return removeShm(args[1])
	}
	if len(args) != 0 {
		return errUsage
	}
	id, _, e := syscall.RawSyscall(syscall.SYS_SHMGET, shmKey, shmSize, ipcCreat|0o600)
	if e != 0 {
		return refusal("shmget", e)
	}
	if err := writeShm(id, "written by probe\n"); err != nil {
		return err
	}
	fmt.Printf("shmid %d key %#x size %d\n", id, shmKey, shmSize)
	return nil
}

// writeShm attaches the segment, writes text at its beginning and detaches it.
func writeShm(id uintptr, text string) error {
	addr, _, e := syscall.RawSyscall(syscall.SYS_SHMAT, id, 0, 0)
	if e != 0 {
		return refusal("shmat", e)
	}
	// The address is the kernel's, not one the Go collector could move.
	copy(unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&addr))), shmSize), text)
	if _, _, e := syscall.RawSyscall(syscall.SYS_SHMDT, addr, 0, 0); e != 0 {
		return refusal("shmdt", e)
	}
	return nil
}

func removeShm(id string) error {
	n, err := strconv.Atoi(id)
	if err != nil || n < 0 {
		return errUsage
	}
	if _, _, e := syscall.RawSyscall(syscall.SYS_SHMCTL, uintptr(n), ipcRmid, 0); e != 0 {
		return refusal("shmctl "+id, e)
	}
	fmt.Println("removed shmid", n)
	return nil
}
