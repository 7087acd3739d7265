// says: the group is there, the namespace is not

//go:build ignore

package main

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

func main() {
	name, max, command := os.Args[1], os.Args[2], os.Args[3:]
	runtime.LockOSThread() // a namespace is a thread's
	tree := "/sys/fs/cgroup"
	if _, err := os.Stat(tree + "/cgroup.controllers"); err == nil {
		check("pass pids on", os.WriteFile(tree+"/cgroup.subtree_control", []byte("+pids"), 0))
	} else {
		tree += "/pids" // cgroup v1
	}
	group := tree + "/" + name
	check("make the group", os.Mkdir(group, 0o755))

	check("limit the group", os.WriteFile(group+"/pids.max", []byte(max), 0))
	check("join the group", os.WriteFile(group+"/cgroup.procs", []byte("0"), 0))

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
