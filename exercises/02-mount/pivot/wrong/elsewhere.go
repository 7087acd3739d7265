// says: where pivot_root has put it

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
	check("bind "+root, syscall.Mount(root, root, "", syscall.MS_BIND, ""))
	check("chdir", syscall.Chdir(root))
	check("make old", os.MkdirAll("old", 0o755))
	check("pivot_root", syscall.PivotRoot(".", "old"))
	check("chdir", syscall.Chdir("/"))

	check("execve", syscall.Exec("/bin/"+command[0], command, os.Environ()))
}

func check(what string, err error) {
	if err != nil {
		println(what + ": " + err.Error())
		os.Exit(1)
	}
}
