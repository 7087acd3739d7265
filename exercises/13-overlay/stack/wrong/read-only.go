// says: it can only be read

//go:build ignore

package main

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

func main() {
	place, command := os.Args[1], os.Args[2:]
	runtime.LockOSThread() // a namespace is a thread's

	check("unshare", syscall.Unshare(syscall.CLONE_NEWNS))
	check("make all private", syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""))
	check("mount a tmpfs", syscall.Mount("tmpfs", "/mnt", "tmpfs", 0, ""))
	for _, dir := range []string{"base", "app", "upper", "work", "all"} {
		check("make a directory", os.Mkdir("/mnt/"+dir, 0o755))
	}
	check("write a file", os.WriteFile("/mnt/base/text", []byte("base\n"), 0o644))
	check("write a file", os.WriteFile("/mnt/base/"+place, []byte("secret\n"), 0o644))
	check("write a file", os.WriteFile("/mnt/app/text", []byte("app\n"), 0o644))

	check("make a whiteout", syscall.Mknod("/mnt/app/"+place, syscall.S_IFCHR, 0))
	check("mount the overlay", syscall.Mount("overlay", "/mnt/all", "overlay", 0, "lowerdir=/mnt/app:/mnt/base"))

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
