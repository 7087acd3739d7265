package main

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// without runs a command that lacks some capabilities, CAP_ left out, and has
// everything else its caller has. Root gets back on execve(2) whatever is in the
// bounding set, so it is from there that they are taken: capabilities(7).
func without(args []string) error {
	if len(args) < 2 {
		return errUsage
	}
	const dropBounding = 24 // PR_CAPBSET_DROP, prctl(2)
	runtime.LockOSThread()  // which is the one that executes
	for _, name := range strings.Split(args[0], ",") {
		n := slices.Index(capabilities, name)
		if n < 0 {
			return errUsage
		}
		if _, _, e := syscall.RawSyscall(syscall.SYS_PRCTL, dropBounding, uintptr(n), 0); e != 0 {
			return refusal("prctl PR_CAPBSET_DROP", e)
		}
	}
	return refusal("execve "+args[1], syscall.Exec(args[1], args[1:], os.Environ()))
}
