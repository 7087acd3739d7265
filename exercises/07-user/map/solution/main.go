// Command main runs a program as root of a user namespace.
package main

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

func main() {
	uid, err := strconv.Atoi(os.Args[1])
	check("read the uid", err)
	command := os.Args[2:]

	path, err := exec.LookPath(command[0])
	check("find "+command[0], err)
	pid, err := syscall.ForkExec(path, command, &syscall.ProcAttr{
		Env: os.Environ(), Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}},
			Credential:  &syscall.Credential{Uid: 0, Gid: 0, NoSetGroups: true},
		},
	})
	check("clone", err)
	_, err = syscall.Wait4(pid, nil, 0, nil)
	check("wait4", err)
}

func check(what string, err error) {
	if err != nil {
		println(what + ": " + err.Error())
		os.Exit(1)
	}
}
