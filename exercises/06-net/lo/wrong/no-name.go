// says: it ended before: read flags: no such device

//go:build ignore

package main

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"unsafe"
)

// request is struct ifreq of netdevice(7), as far as flags are concerned.
type request struct {
	name  [16]byte
	flags uint16
	_     [22]byte
}

// ioctl makes a request on a socket; it names a link, and reads or writes flags.
func (r *request) ioctl(fd int, what uintptr) error {
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), what, uintptr(unsafe.Pointer(r))); errno != 0 {
		return errno
	}
	return nil
}

func main() {
	command := os.Args[1:]
	runtime.LockOSThread() // a namespace is a thread's

	check("unshare", syscall.Unshare(syscall.CLONE_NEWNET))
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	check("socket", err)
	link := request{}
	check("read flags", link.ioctl(fd, syscall.SIOCGIFFLAGS))
	link.flags |= syscall.IFF_UP
	check("write flags", link.ioctl(fd, syscall.SIOCSIFFLAGS))

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
