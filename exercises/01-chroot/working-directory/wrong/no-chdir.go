// says: its working directory is still outside

//go:build ignore

package main

import (
	"os"
	"syscall"
)

func main() {
	root, command := os.Args[1], os.Args[2:]

	check("chroot", syscall.Chroot(root))
	check("chdir", syscall.Chdir("."))

	check("execve", syscall.Exec("/bin/"+command[0], command, os.Environ()))
}

func check(what string, err error) {
	if err != nil {
		println(what + ": " + err.Error())
		os.Exit(1)
	}
}
