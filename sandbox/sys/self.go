package sys

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// selfVariable tells a program that runs from memory which file a person has of it.
const selfVariable = "CUTAWAY_PROGRAM"

var self string

// Become executes the program that the descriptor refers to, in place of this one,
// with its arguments and environment; it is told that this one's file is where it
// comes from: execveat(2) with AT_EMPTY_PATH, which needs no /proc. It returns only
// when that did not work.
func Become(program int) error {
	if err := unix.Fchmod(program, 0o755); err != nil { // as a file of this one has, for whoever looks at /proc/PID/exe
		return err
	}
	file, _ := os.Executable() // unknown before /proc is mounted, and of no use then
	if err := os.Setenv(selfVariable, file); err != nil {
		return err
	}
	argv, err := syscall.SlicePtrFromStrings(os.Args)
	if err != nil {
		return err
	}
	envp, err := syscall.SlicePtrFromStrings(os.Environ())
	if err != nil {
		return err
	}
	nothing := [1]byte{}
	_, _, errno := unix.Syscall6(unix.SYS_EXECVEAT, uintptr(program), uintptr(unsafe.Pointer(&nothing)),
		uintptr(unsafe.Pointer(&argv[0])), uintptr(unsafe.Pointer(&envp[0])), unix.AT_EMPTY_PATH, 0)
	return errno
}

// Became takes notice, at the start of a program, of what Become has told it, and
// of its name, which a program from memory has not. Its children are not told.
func Became(name string) {
	if file, told := os.LookupEnv(selfVariable); told {
		self = file
		os.Unsetenv(selfVariable)
		SetName(name)
	}
}

// Self is the file that a person has of this program, to be started again, or to
// find what lies beside it.
func Self() (string, error) {
	if self != "" {
		return self, nil
	}
	return os.Executable()
}
