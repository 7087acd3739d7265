package main

import (
	"errors"
	"fmt"
	"syscall"
)

// errnoNames has the refusals these probes meet; the standard library knows
// their sentences but not their names.
var errnoNames = map[syscall.Errno]string{
	syscall.EACCES: "EACCES", syscall.EAGAIN: "EAGAIN", syscall.EBADF: "EBADF",
	syscall.EBUSY: "EBUSY", syscall.ECONNREFUSED: "ECONNREFUSED",
	syscall.EDQUOT: "EDQUOT", syscall.EEXIST: "EEXIST",
	syscall.EFAULT: "EFAULT", syscall.EINVAL: "EINVAL", syscall.EIO: "EIO",
	syscall.EISDIR: "EISDIR", syscall.ELOOP: "ELOOP", syscall.EMFILE: "EMFILE",
	syscall.ENAMETOOLONG: "ENAMETOOLONG", syscall.ENFILE: "ENFILE",
	syscall.ENODEV: "ENODEV", syscall.ENOENT: "ENOENT", syscall.ENOEXEC: "ENOEXEC",
	syscall.ENOKEY: "ENOKEY", syscall.ENOMEM: "ENOMEM", syscall.ENOSPC: "ENOSPC",
	syscall.ENOSYS: "ENOSYS", syscall.ENOTBLK: "ENOTBLK", syscall.ENOTDIR: "ENOTDIR",
	syscall.ENXIO: "ENXIO", syscall.EOPNOTSUPP: "EOPNOTSUPP",
	syscall.EOVERFLOW: "EOVERFLOW", syscall.EPERM: "EPERM",
	syscall.EPROTONOSUPPORT: "EPROTONOSUPPORT", syscall.EROFS: "EROFS",
	syscall.ESRCH: "ESRCH", syscall.ETXTBSY: "ETXTBSY", syscall.EUSERS: "EUSERS", syscall.EXDEV: "EXDEV",
}

// errnoName gives "EPERM", or "errno 77" for one that has no name here.
func errnoName(e syscall.Errno) string {
	if name, ok := errnoNames[e]; ok {
		return name
	}
	return fmt.Sprintf("errno %d", int(e))
}

// result writes what a call returned the way strace(1) does: "= 0", or
// "= -1 EPERM (operation not permitted)".
func result(ret uintptr, e syscall.Errno) string {
	if e != 0 {
		return fmt.Sprintf("= -1 %s (%s)", errnoName(e), e.Error())
	}
	return fmt.Sprintf("= %d", int(ret))
}

// refusal prefixes err with the call that was refused and names its errno.
func refusal(call string, err error) error {
	var e syscall.Errno
	if errors.As(err, &e) {
		return fmt.Errorf("%s: %s: %w", call, errnoName(e), e)
	}
	return fmt.Errorf("%s: %w", call, err)
}
