// says: its root is still the machine's

//go:build ignore

package main

import (
	"os"
	"runtime"
	"syscall"
)

func main() {
	root, command := os.Args[1], os.Args[2:]
	runtime.LockOSThread() // a namespace is a thread's

	check("unshare", syscall.Unshare(syscall.CLONE_NEWNS))
	check("make / private", syscall.Mount("", "/", "", syscall.MS_PRIVATE|syscall.MS_REC, ""))
	check("move "+root, syscall.Mount(root, "/mnt", "", syscall.MS_BIND, ""))
	check("chdir", syscall.Chdir("/"))

	check("execve", syscall.Exec("/bin/"+command[0], command, os.Environ()))
}

func check(what string, err error) {
	if err != nil {
		println(what + ": " + err.Error())
		os.Exit(1)
	}
}
