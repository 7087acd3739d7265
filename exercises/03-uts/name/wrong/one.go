// says: still the machine's: setdomainname

//go:build ignore

package main

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

func main() {
	name, domain, command := os.Args[1], os.Args[2], os.Args[3:]
	runtime.LockOSThread() // a namespace is a thread's

	check("unshare", syscall.Unshare(syscall.CLONE_NEWUTS))
	check("sethostname", syscall.Sethostname([]byte(name)))
	_ = domain

	path, err := exec.LookPath(command[0])
	check("find "+command[0], err)
	check("execve", syscall.Exec(path, command, os.Environ()))
}

func check(what string, err error) {
	if err != nil {
		println(what + ": " + err.Error())
		os.Exit(1)
	}
}
