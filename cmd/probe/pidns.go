package main

import (
	"fmt"
	"runtime"
	"syscall"
	"unsafe"
)

// pidnsFindings is what a child that unshares its PID namespace tells by a
// shared page.
type pidnsFindings struct {
	before, after uintptr // its own pid
	inner         uintptr // its first child's, as that counts itself
	unshared      syscall.Errno
	first, second answered
}

// answered is what a call returned.
type answered struct {
	ret   uintptr
	errno syscall.Errno
}

func (a answered) String() string { return result(a.ret, a.errno) }

// pidns shows what unshare(CLONE_NEWPID) does: pid_namespaces(7). The caller
// stays where it is; its first child is number 1 of the new namespace; and when
// that ends no further process can be born there: ENOMEM.
func pidns(args []string) error {
	if len(args) != 0 {
		return errUsage
	}
	page, err := syscall.Mmap(-1, 0, syscall.Getpagesize(),
		syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED|syscall.MAP_ANON)
	if err != nil {
		return refusal("mmap", err)
	}
	defer syscall.Munmap(page)
	f := (*pidnsFindings)(unsafe.Pointer(&page[0]))
	pid, e := rawFork()
	if e != 0 {
		return refusal("fork", e)
	}
	if pid == 0 {
		f.find()
		rawExit()
	}
	if _, err := syscall.Wait4(int(pid), nil, 0, nil); err != nil {
		return refusal("wait4", err)
	}
	runtime.KeepAlive(page)
	fmt.Println("getpid() =", f.before)
	fmt.Println("unshare(CLONE_NEWPID)", result(0, f.unshared))
	if f.unshared != 0 {
		return errRefused
	}
	fmt.Println("getpid() =", f.after)
	fmt.Printf("clone(SIGCHLD) %s, whose own getpid() = %d; it ends\n", f.first, f.inner)
	fmt.Println("clone(SIGCHLD)", f.second)
	if f.second.errno != 0 {
		return errRefused
	}
	return nil
}

// find runs in a child that has one thread: raw calls only, as child.go says.
//
//go:nosplit
func (f *pidnsFindings) find() {
	f.before = rawPID()
	if _, _, f.unshared = syscall.RawSyscall(syscall.SYS_UNSHARE, syscall.CLONE_NEWPID, 0, 0); f.unshared != 0 {
		return
	}
	f.after = rawPID()
	for _, a := range [...]*answered{&f.first, &f.second} {
		pid, e := rawFork()
		if pid == 0 && e == 0 {
			f.inner = rawPID()
			rawExit()
		}
		a.ret, a.errno = pid, e // here only: the page is the child's as well
		if e != 0 {
			return
		}
		syscall.RawSyscall6(syscall.SYS_WAIT4, pid, 0, 0, 0, 0, 0)
	}
}

// rawPID asks the kernel, which Go does only at the start.
//
//go:nosplit
func rawPID() uintptr {
	pid, _, _ := syscall.RawSyscall(syscall.SYS_GETPID, 0, 0, 0)
	return pid
}
