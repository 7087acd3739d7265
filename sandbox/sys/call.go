// Package sys is the only importer of golang.org/x/sys/unix. Each method of
// Kernel is one system call: it makes the call and records it the way strace
// would print it.
//
// Its one invariant: a Call is recorded if and only if the call is made; in
// dry mode it is recorded and not made, which is how a plan can be shown
// before it is done. Read call.go, kernel.go, then flags.go for the names.
package sys

import (
	"strings"

	"golang.org/x/sys/unix"
)

// Call is one system call as it was made: the name and arguments as strace
// prints them, the return value, and the name of the error ("" for none).
type Call struct {
	Name  string   `json:"name"`
	Args  []string `json:"args"`
	Ret   int64    `json:"ret"`
	Errno string   `json:"errno"`
}

// String gives the call in strace's form, without the result.
func (c Call) String() string {
	return c.Name + "(" + strings.Join(c.Args, ", ") + ")"
}

// Error numbers the lab speaks about, so that others need not import x/sys/unix.
const (
	EACCES  = unix.EACCES
	EBUSY   = unix.EBUSY
	EEXIST  = unix.EEXIST
	EINVAL  = unix.EINVAL
	ENODEV  = unix.ENODEV
	ENOENT  = unix.ENOENT
	ENOEXEC = unix.ENOEXEC
	ENOSPC  = unix.ENOSPC
	ENOSYS  = unix.ENOSYS
	EPERM   = unix.EPERM
	EROFS   = unix.EROFS
)
