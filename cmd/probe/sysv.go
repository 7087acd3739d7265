package main

import (
	"bytes"
	"fmt"
	"syscall"
	"unsafe"
)

// The System V interface, sysvipc(7): three kinds of object without a path,
// found by a key. The key is ours, the letters "cut"; the same key means other
// objects in another IPC namespace.
const (
	sysvKey = 0x637574
	shmSize = 4096 // bytes
	semNow  = 7    // what the semaphore is set to

	ipcCreat  = 0o1000 // IPC_CREAT
	ipcNowait = 0o4000 // IPC_NOWAIT
	getval    = 12     // GETVAL, semctl(2)
	setval    = 16     // SETVAL
)

// sysvKind is one kind of object: how to get at it, and what to put in or take
// out. A call without IPC_CREAT finds only what exists.
type sysvKind struct {
	name     string
	get      func(flags uintptr) (id uintptr, e syscall.Errno)
	put      func(id uintptr, text string) error
	contents func(id uintptr) (string, error)
}

var sysvKinds = []sysvKind{
	{"shmget", func(flags uintptr) (uintptr, syscall.Errno) {
		id, _, e := syscall.RawSyscall(syscall.SYS_SHMGET, sysvKey, shmSize, flags)
		return id, e
	}, writeShm, readShm},
	{"semget", func(flags uintptr) (uintptr, syscall.Errno) {
		id, _, e := syscall.RawSyscall(syscall.SYS_SEMGET, sysvKey, 1, flags)
		return id, e
	}, setSem, readSem},
	{"msgget", func(flags uintptr) (uintptr, syscall.Errno) {
		id, _, e := syscall.RawSyscall(syscall.SYS_MSGGET, sysvKey, flags, 0)
		return id, e
	}, sendMsg, receiveMsg},
}

// sysv makes a segment, a semaphore and a message queue that stay after this
// process has ended, as such objects do until someone removes them or their IPC
// namespace goes; without a text it finds them and tells what they hold.
func sysv(args []string) error {
	if len(args) > 1 {
		return errUsage
	}
	missing := false
	for _, k := range sysvKinds {
		var flags uintptr
		if len(args) == 1 {
			flags = ipcCreat | 0o600
		}
		id, e := k.get(flags)
		said := result(id, e)
		missing = missing || e != 0
		if e == 0 && len(args) == 1 {
			if err := k.put(id, args[0]); err != nil {
				return err
			}
		}
		if e == 0 && len(args) == 0 {
			holds, err := k.contents(id)
			if err != nil {
				return err
			}
			said += ", holds " + holds
		}
		fmt.Printf("%s(%#x) %s\n", k.name, sysvKey, said)
	}
	if missing {
		return errRefused
	}
	return nil
}

// attached calls f with the segment in memory: shmop(2).
func attached(id uintptr, f func([]byte)) error {
	addr, _, e := syscall.RawSyscall(syscall.SYS_SHMAT, id, 0, 0)
	if e != 0 {
		return refusal("shmat", e)
	}
	// The address is the kernel's, not one the Go collector could move.
	f(unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&addr))), shmSize))
	if _, _, e := syscall.RawSyscall(syscall.SYS_SHMDT, addr, 0, 0); e != 0 {
		return refusal("shmdt", e)
	}
	return nil
}

func writeShm(id uintptr, text string) error {
	return attached(id, func(segment []byte) { copy(segment, text) })
}

func readShm(id uintptr) (holds string, err error) {
	err = attached(id, func(segment []byte) {
		text, _, _ := bytes.Cut(segment, []byte{0})
		holds = fmt.Sprintf("%q", text)
	})
	return holds, err
}

func setSem(id uintptr, _ string) error {
	if _, _, e := syscall.RawSyscall6(syscall.SYS_SEMCTL, id, 0, setval, semNow, 0, 0); e != 0 {
		return refusal("semctl", e)
	}
	return nil
}

func readSem(id uintptr) (string, error) {
	value, _, e := syscall.RawSyscall6(syscall.SYS_SEMCTL, id, 0, getval, 0, 0, 0)
	if e != 0 {
		return "", refusal("semctl", e)
	}
	return fmt.Sprint(value), nil
}

// message is struct msgbuf of msgop(2); a type must be positive.
type message struct {
	kind int
	text [256]byte
}

func sendMsg(id uintptr, text string) error {
	m := &message{kind: 1}
	n := copy(m.text[:], text)
	if _, _, e := syscall.RawSyscall6(syscall.SYS_MSGSND, id, uintptr(unsafe.Pointer(m)), uintptr(n), ipcNowait, 0, 0); e != 0 {
		return refusal("msgsnd", e)
	}
	return nil
}

// receiveMsg takes the first message out of the queue.
func receiveMsg(id uintptr) (string, error) {
	m := &message{}
	n, _, e := syscall.RawSyscall6(syscall.SYS_MSGRCV, id, uintptr(unsafe.Pointer(m)), uintptr(len(m.text)), 0, ipcNowait, 0)
	if e != 0 {
		return "", refusal("msgrcv", e)
	}
	return fmt.Sprintf("%q", m.text[:n]), nil
}
