package main

import (
	"fmt"
	"strings"
	"syscall"
	"unsafe"
)

// mqueue makes a POSIX message queue, mq_overview(7). The queue stays until it
// is unlinked or its IPC namespace goes; an mqueue file system mounted in the
// same namespace lists it.
func mqueue(args []string) error {
	remove := len(args) == 2 && args[0] == "-rm"
	if remove {
		args = args[1:]
	}
	if len(args) != 1 || strings.Trim(args[0], "/") == "" {
		return errUsage
	}
	// mq_open(3) wants "/name"; the system call below it wants it without.
	name := strings.TrimPrefix(args[0], "/")
	p, err := syscall.BytePtrFromString(name)
	if err != nil {
		return errUsage
	}
	if remove {
		_, _, e := syscall.RawSyscall(syscall.SYS_MQ_UNLINK, uintptr(unsafe.Pointer(p)), 0, 0)
		if e != 0 {
			return refusal("mq_unlink /"+name, e)
		}
		fmt.Println("removed mqueue /" + name)
		return nil
	}
	fd, _, e := syscall.RawSyscall6(syscall.SYS_MQ_OPEN, uintptr(unsafe.Pointer(p)),
		syscall.O_RDWR|syscall.O_CREAT|syscall.O_CLOEXEC, 0o600, 0, 0, 0)
	if e != 0 {
		return refusal("mq_open /"+name, e)
	}
	var attr struct{ flags, maxmsg, msgsize, curmsgs, _, _, _, _ int } // struct mq_attr
	_, _, e = syscall.RawSyscall(syscall.SYS_MQ_GETSETATTR, fd, 0, uintptr(unsafe.Pointer(&attr)))
	if e != 0 {
		return refusal("mq_getattr /"+name, e)
	}
	fmt.Printf("mqueue /%s maxmsg %d msgsize %d\n", name, attr.maxmsg, attr.msgsize)
	return syscall.Close(int(fd))
}
