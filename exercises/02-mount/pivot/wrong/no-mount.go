// says: it ended before: pivot_root:

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
	check("chdir", syscall.Chdir(root))
	check("pivot_root", syscall.PivotRoot(".", "."))
	check("umount", syscall.Unmount(".", syscall.MNT_DETACH))
	check("chdir", syscall.Chdir("/"))

	check("execve", syscall.Exec("/bin/"+command[0], command, os.Environ()))
}

func check(what string, err error) {
	if err != nil {
		println(what + ": " + err.Error())
		os.Exit(1)
	}
}
