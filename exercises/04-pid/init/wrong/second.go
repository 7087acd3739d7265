// says: it is a child of number 1

//go:build ignore

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
		Env: os.Environ(), Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS},
	})
	check("clone", err)
	_, err = syscall.Wait4(pid, nil, 0, nil)
	check("wait4", err)
}

// inside goes on in the child.
func inside(command []string) {
	check("make / private", syscall.Mount("", "/", "", syscall.MS_PRIVATE|syscall.MS_REC, ""))
	check("mount /proc", syscall.Mount("proc", "/proc", "proc", 0, ""))
	check("run", exec.Command(command[0], command[1:]...).Run())
}

func check(what string, err error) {
	if err != nil {
		println(what + ": " + err.Error())
		os.Exit(1)
	}
}
