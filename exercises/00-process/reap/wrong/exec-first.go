// says: nothing has run before

//go:build ignore

package main

import (
	"os"
	"os/exec"
	"syscall"
)

func main() {
	word, command := os.Args[1], os.Args[2:]
	path, err := exec.LookPath(command[0])
	check("find "+command[0], err)
	check("execve", syscall.Exec(path, command, os.Environ()))
	check("fork", exec.Command("/bin/sh", "-c", "echo first >"+word).Run())
}

func check(what string, err error) {
	if err != nil {
		println(what + ": " + err.Error())
		os.Exit(1)
	}
}
