// Command main runs a program as number 1 of a PID namespace.
package main

import (
	"os"
	"os/exec"
	"syscall"
)

func main() {
	if os.Args[0] == "inside" {
		inside(os.Args[1:])
	}
	pid, err := syscall.ForkExec("/proc/self/exe", append([]string{"inside"}, os.Args[1:]...), &syscall.ProcAttr{
		Env: os.Environ(), Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}, // Missing: a flag.
	})
	check("clone", err)
	_, err = syscall.Wait4(pid, nil, 0, nil)
	check("wait4", err)
}

// inside goes on in the child.
func inside(command []string) {
	check("make / private", syscall.Mount("", "/", "", syscall.MS_PRIVATE|syscall.MS_REC, ""))
	// Missing: a call.
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
