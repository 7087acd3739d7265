// Command main makes shared memory in an IPC namespace and becomes a program there.
package main

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
)

func main() {
	key, err := strconv.Atoi(os.Args[1])
	check("read the key", err)
	size, err := strconv.Atoi(os.Args[2])
	check("read the size", err)
	command := os.Args[3:]
	runtime.LockOSThread() // a namespace is a thread's

	// Missing: a namespace, and a segment in it. call(syscall.SYS_SHMGET, ...)
	// makes one; its third argument are flags: IPC_CREAT, which is 01000, and
	// permissions.
	_, _, _ = key, size, call

	path, err := exec.LookPath(command[0])
	check("find "+command[0], err)
	check("execve", syscall.Exec(path, command, os.Environ()))
}

// call makes a system call that package syscall has no function for.
func call(number, a, b, c uintptr) error {
	if _, _, errno := syscall.Syscall(number, a, b, c); errno != 0 {
		return errno
	}
	return nil
}

func check(what string, err error) {
	if err != nil {
		println(what + ": " + err.Error())
		os.Exit(1)
	}
}
