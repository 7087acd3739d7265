// Command main becomes a program that has given up what root has.
package main

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
)

func main() {
	keep, id, command := number(os.Args[1]), number(os.Args[2]), os.Args[3:]
	runtime.LockOSThread() // so that all calls are made by the thread that calls execve
	check("be in groups, as after a login", syscall.Setgroups([]int{0, 4, 24}))

	// Missing: keep is all that is left in the bounding set; no new privileges; no
	// groups but id; and the user is id.
	_, _, _, _ = keep, id, prctl, []int{capBsetDrop, setNoNewPrivs, lastCap}

	path, err := exec.LookPath(command[0])
	check("find "+command[0], err)
	check("execve", syscall.Exec(path, command, os.Environ()))
}

// prctl calls prctl(2), which package syscall has no function for.
func prctl(option, argument int) error {
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, uintptr(option), uintptr(argument), 0, 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// Of linux/prctl.h and linux/capability.h.
const (
	capBsetDrop   = 24
	setNoNewPrivs = 38
	lastCap       = 40
)

func number(text string) int {
	n, err := strconv.Atoi(text)
	check("read a number", err)
	return n
}

func check(what string, err error) {
	if err != nil {
		println(what + ": " + err.Error())
		os.Exit(1)
	}
}
