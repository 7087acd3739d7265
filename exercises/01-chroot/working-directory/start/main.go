// Command main becomes a program whose root is another directory.
package main

import (
	"os"
	"syscall"
)

func main() {
	root, command := os.Args[1], os.Args[2:]

	check("chroot", syscall.Chroot(root))
	// Missing: a call.

	check("execve", syscall.Exec("/bin/"+command[0], command, os.Environ()))
}

func check(what string, err error) {
	if err != nil {
		println(what + ": " + err.Error())
		os.Exit(1)
	}
}
