// says: the machine has that name as well

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

	check("sethostname", syscall.Sethostname([]byte(name)))
	check("unshare", syscall.Unshare(syscall.CLONE_NEWUTS))
	check("setdomainname", syscall.Setdomainname([]byte(domain)))

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
