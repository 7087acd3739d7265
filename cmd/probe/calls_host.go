package main

import (
	"syscall"
	"unsafe"
)

// hostCalls reach for what belongs to the host. None of them does harm where it
// is allowed: files are opened and not written, signals are 0, and what loads a
// kernel or a module fails after the question for the permission.
var hostCalls = []privileged{
	// The same user, or CAP_KILL in the user namespace of the other; kill(2).
	{"kill", []string{"1"}, func(a []string) syscallForm {
		return onNumber(a[0], func(pid int) syscallForm {
			return syscallForm{name: "kill", trap: syscall.SYS_KILL, args: []word{num(pid), num(0)}}
		})
	}},
	// The same user with no more capabilities, or CAP_SYS_PTRACE in the user
	// namespace of the other: ptrace(2), "Ptrace access mode checking".
	{"trace", []string{"1"}, func(a []string) syscallForm {
		return onNumber(a[0], func(pid int) syscallForm {
			return syscallForm{name: "ptrace", trap: syscall.SYS_PTRACE, args: []word{sym("PTRACE_SEIZE", ptraceSize), num(pid), num(0), num(0)}}
		})
	}},
	// A mount that is not read-only, and the file's mode.
	{"open-write", []string{"/proc/sys/kernel/core_pattern"}, func(a []string) syscallForm {
		return syscallForm{name: "openat", trap: syscall.SYS_OPENAT, args: []word{atFdcwd, str(a[0]), sym("O_WRONLY", syscall.O_WRONLY)}}
	}},
	// CAP_DAC_READ_SEARCH in the first user namespace: a handle names a file past
	// every directory and mount, open_by_handle_at(2).
	{"handle", []string{"/etc/hosts"}, func(a []string) syscallForm { return openByHandle(a[0]) }},
	// CAP_NET_RAW for the socket, and the link in this network namespace: packet(7),
	// socket(7), SO_BINDTODEVICE.
	{"packet", []string{"lo"}, func(a []string) syscallForm {
		fd, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, 0)
		if err != nil { // the child will be told the same
			return syscallForm{name: "socket", trap: syscall.SYS_SOCKET, args: []word{sym("AF_PACKET", syscall.AF_PACKET), sym("SOCK_RAW", syscall.SOCK_RAW), num(0)}}
		}
		return syscallForm{name: "setsockopt", trap: syscall.SYS_SETSOCKOPT, args: []word{sym("AF_PACKET socket", fd),
			sym("SOL_SOCKET", syscall.SOL_SOCKET), sym("SO_BINDTODEVICE", syscall.SO_BINDTODEVICE), str(a[0]), num(len(a[0]))}}
	}},
	// Nothing but the name in this network namespace: unix(7), abstract sockets.
	{"abstract", []string{"name"}, func(a []string) syscallForm {
		fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
		address := &syscall.RawSockaddrUnix{Family: syscall.AF_UNIX} // a path that begins with a zero byte
		for i := range a[0] {
			address.Path[1+i] = int8(a[0][i])
		}
		return syscallForm{name: "connect", trap: syscall.SYS_CONNECT, err: err, args: []word{sym("AF_UNIX socket", fd),
			{p: unsafe.Pointer(address), text: `"@` + a[0] + `"`}, num(3 + len(a[0]))}}
	}},
	// CAP_SYS_BOOT in the first user namespace. The flags are wrong, so with it the
	// answer is EINVAL.
	{"kexec", nil, func([]string) syscallForm {
		return syscallForm{name: "kexec_load", trap: syscall.SYS_KEXEC_LOAD, args: []word{num(0), num(0), null(), sym("no such flags", 0xf0)}}
	}},
	// CAP_PERFMON in the first user namespace, to count what the kernel does.
	{"perf", nil, func([]string) syscallForm { return countKernel() }},
	// CAP_BPF in the first user namespace, whatever the sysctl says.
	{"bpf-lru", nil, func([]string) syscallForm { return bpfMapCreate("LRU hash", 9) }}, // BPF_MAP_TYPE_LRU_HASH
	// No capability: keyrings(7).
	{"add_key", nil, func([]string) syscallForm {
		return syscallForm{name: "add_key", trap: syscall.SYS_ADD_KEY,
			args: []word{str("user"), str("probe"), str("x"), num(1), sym("KEY_SPEC_PROCESS_KEYRING", -2)}}
	}},
	{"request_key", []string{"probe"}, func(a []string) syscallForm {
		return syscallForm{name: "request_key", trap: syscall.SYS_REQUEST_KEY, args: []word{str("user"), str(a[0]), null(), num(0)}}
	}},
	// No capability, but a session keyring that has the key: session-keyring(7).
	{"search-key", []string{"probe"}, func(a []string) syscallForm {
		return syscallForm{name: "keyctl", trap: syscall.SYS_KEYCTL,
			args: []word{sym("KEYCTL_SEARCH", 10), sym("KEY_SPEC_SESSION_KEYRING", -3), str("user"), str(a[0]), num(0)}}
	}},
}

// countKernel counts what this process does, in the kernel as well.
func countKernel() syscallForm {
	attr := &[8]uint64{1 | 64<<32} // PERF_TYPE_SOFTWARE, PERF_ATTR_SIZE_VER0: the processor's clock
	return syscallForm{name: "perf_event_open", trap: sysPerfEventOpen,
		args: []word{{p: unsafe.Pointer(attr), text: "{kernel too}"}, num(0), num(-1), num(-1), num(0)}}
}

// fileHandle is struct file_handle, name_to_handle_at(2).
type fileHandle struct {
	size, kind uint32
	bytes      [128]byte // MAX_HANDLE_SZ
}

// openByHandle asks for a file's handle, which everybody may, and makes the call
// that opens a file by one.
func openByHandle(path string) syscallForm {
	handle, mount := &fileHandle{size: 128}, int32(0)
	where, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return syscallForm{err: refusal("open "+path, err)}
	}
	name := str(path)
	_, _, e := syscall.Syscall6(sysNameToHandleAt, atFdcwd.value(), name.value(),
		uintptr(unsafe.Pointer(handle)), uintptr(unsafe.Pointer(&mount)), 0, 0)
	if e != 0 {
		return syscallForm{err: refusal("name_to_handle_at "+path, e)}
	}
	return syscallForm{name: "open_by_handle_at", trap: sysOpenByHandleAt,
		args: []word{sym(path, where), {p: unsafe.Pointer(handle), text: "{handle of " + path + "}"}, sym("O_RDONLY", syscall.O_RDONLY)}}
}
