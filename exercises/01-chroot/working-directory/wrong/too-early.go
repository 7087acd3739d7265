// says: it went to / too early

//go:build ignore

package main

import (
	"os"
	"path/filepath"
	"syscall"
)

func main() {
	root, command := os.Args[1], os.Args[2:]

	path, err := filepath.Abs(root)
	check("find "+root, err)
	check("chdir", syscall.Chdir("/"))
	check("chroot", syscall.Chroot(path))

	check("execve", syscall.Exec("/bin/"+command[0], command, os.Environ()))
}

func check(what string, err error) {
	if err != nil {
		println(what + ": " + err.Error())
		os.Exit(1)
	}
}
