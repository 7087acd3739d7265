// says: it ended before: wait4: no child processes

//go:build ignore

package main

import (
	"os"
	"os/exec"
	"syscall"
)

func main() {
	word, command := os.Args[1], os.Args[2:]

	pid, err := syscall.ForkExec("/bin/sh", []string{"sh", "-c", "echo first >" + word},
		&syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}})
	check("fork", err)
	_ = pid
	_, err = syscall.Wait4(os.Getpid(), nil, 0, nil)
	check("wait4", err)

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
