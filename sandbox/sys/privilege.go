package sys

import (
	"fmt"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// The credential calls below act on the calling thread only, unlike those of
// package syscall, which act on every thread of the process. Init makes them on
// its locked main thread, and execve(2) from that thread ends all others.

// Setresuid sets the thread's three user ids: setresuid(2).
func (k *Kernel) Setresuid(uid int) error {
	return k.do(func() error { return raw(unix.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid)) },
		"setresuid", strconv.Itoa(uid), strconv.Itoa(uid), strconv.Itoa(uid))
}

// Setresgid sets the thread's three group ids: setresgid(2).
func (k *Kernel) Setresgid(gid int) error {
	return k.do(func() error { return raw(unix.SYS_SETRESGID, uintptr(gid), uintptr(gid), uintptr(gid)) },
		"setresgid", strconv.Itoa(gid), strconv.Itoa(gid), strconv.Itoa(gid))
}

// Setgroups sets the thread's supplementary groups: setgroups(2).
func (k *Kernel) Setgroups(gids []int) error {
	words, list := make([]string, len(gids)), make([]uint32, len(gids)+1)
	for i, g := range gids {
		words[i], list[i] = strconv.Itoa(g), uint32(g)
	}
	return k.do(func() error {
		return raw(unix.SYS_SETGROUPS, uintptr(len(gids)), uintptr(unsafe.Pointer(&list[0])), 0)
	}, "setgroups", strconv.Itoa(len(gids)), "["+strings.Join(words, ", ")+"]")
}

// KeepCaps lets the permitted set survive a change of all uids from 0:
// PR_SET_KEEPCAPS, prctl(2).
func (k *Kernel) KeepCaps() error {
	return k.do(func() error { return unix.Prctl(unix.PR_SET_KEEPCAPS, 1, 0, 0, 0) }, "prctl", "PR_SET_KEEPCAPS", "1")
}

// NoNewPrivs makes execve(2) never grant what setuid bits or file
// capabilities promise: PR_SET_NO_NEW_PRIVS, prctl(2).
func (k *Kernel) NoNewPrivs() error {
	return k.do(func() error { return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) },
		"prctl", "PR_SET_NO_NEW_PRIVS", "1", "0", "0", "0")
}

// ParentDeathSignal asks for SIGKILL when the parent thread ends:
// PR_SET_PDEATHSIG, prctl(2). A change of credentials clears it.
func (k *Kernel) ParentDeathSignal() error {
	return k.do(func() error { return unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0) },
		"prctl", "PR_SET_PDEATHSIG", "SIGKILL")
}

// DropBounding removes capability n from the bounding set: PR_CAPBSET_DROP,
// capabilities(7).
func (k *Kernel) DropBounding(n int) error {
	return k.do(func() error { return unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(n), 0, 0, 0) },
		"prctl", "PR_CAPBSET_DROP", CapName(n))
}

// ClearAmbient empties the ambient set: PR_CAP_AMBIENT_CLEAR_ALL, capabilities(7).
func (k *Kernel) ClearAmbient() error {
	return k.do(func() error { return unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) },
		"prctl", "PR_CAP_AMBIENT", "PR_CAP_AMBIENT_CLEAR_ALL", "0", "0", "0")
}

// JoinSessionKeyring replaces the session keyring by a new one without a name:
// KEYCTL_JOIN_SESSION_KEYRING, keyctl(2). The kernel answers with its number.
func (k *Kernel) JoinSessionKeyring() error {
	_, err := k.call(func() (int64, error) {
		id, err := unix.KeyctlInt(unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0)
		return int64(id), err
	}, "keyctl", "KEYCTL_JOIN_SESSION_KEYRING", "NULL")
	return err
}

// Capset sets the thread's effective, permitted and inheritable sets, each a
// bit mask by capability number: capset(2).
func (k *Kernel) Capset(effective, permitted, inheritable uint64) error {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	data := [2]unix.CapUserData{}
	for i := range data {
		shift := 32 * i
		data[i] = unix.CapUserData{Effective: uint32(effective >> shift),
			Permitted: uint32(permitted >> shift), Inheritable: uint32(inheritable >> shift)}
	}
	return k.do(func() error { return unix.Capset(&hdr, &data[0]) }, "capset", capHeader, capSets(effective, permitted, inheritable))
}

const capHeader = "{version=_LINUX_CAPABILITY_VERSION_3, pid=0}"

func capSets(effective, permitted, inheritable uint64) string {
	return fmt.Sprintf("{effective=%s, permitted=%s, inheritable=%s}", CapMask(effective), CapMask(permitted), CapMask(inheritable))
}

// Prlimit sets a resource limit of the calling process: setrlimit(2).
func (k *Kernel) Prlimit(resource int, name string, soft, hard uint64) error {
	lim := unix.Rlimit{Cur: soft, Max: hard}
	return k.do(func() error { return unix.Prlimit(0, resource, &lim, nil) }, "prlimit64", "0", name,
		fmt.Sprintf("{rlim_cur=%d, rlim_max=%d}", soft, hard), "NULL")
}

// Seccomp loads a BPF filter on the calling thread: seccomp(2). Its other
// threads end at execve(2), so no flag need spread the filter to them.
func (k *Kernel) Seccomp(prog []bpf.RawInstruction) error {
	filter := make([]unix.SockFilter, len(prog)+1) // never empty, to have an address
	for i, ins := range prog {
		filter[i] = unix.SockFilter{Code: ins.Op, Jt: ins.Jt, Jf: ins.Jf, K: ins.K}
	}
	f := unix.SockFprog{Len: uint16(len(prog)), Filter: &filter[0]}
	return k.do(func() error {
		return raw(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&f)))
	}, "seccomp", "SECCOMP_SET_MODE_FILTER", "0", fmt.Sprintf("{len=%d, filter=...}", len(prog)))
}

// raw makes a system call on this thread alone.
func raw(trap, a, b, c uintptr) error {
	if _, _, e := unix.RawSyscall(trap, a, b, c); e != 0 {
		return e
	}
	return nil
}

// SetName sets what the calling thread is called in /proc/PID/comm, 15 bytes at
// most: PR_SET_NAME, prctl(2). For the reader's eye; a failure changes nothing.
func SetName(name string) {
	if b, err := unix.BytePtrFromString(name); err == nil {
		_ = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(b)), 0, 0, 0)
	}
}
