package main

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

// privileged is a call to try.
type privileged struct {
	name     string
	defaults []string
	make     func(args []string) syscallForm
}

// calls are all of them.
var calls = slices.Concat(ownCalls, hostCalls)

// ownCalls are about what a container has of its own. Each says what the kernel
// asks for.
var ownCalls = []privileged{
	// CAP_SYS_ADMIN in the user namespace that owns the mount namespace.
	{"mount", []string{"/mnt"}, func(a []string) syscallForm {
		return syscallForm{name: "mount", trap: syscall.SYS_MOUNT,
			args: []word{str("tmpfs"), str(a[0]), str("tmpfs"), num(0), null()},
		}.undoneBy(syscallForm{name: "umount2", trap: syscall.SYS_UMOUNT2,
			args: []word{str(a[0]), sym("MNT_DETACH", syscall.MNT_DETACH)}})
	}},
	// CAP_SYS_ADMIN likewise; and much about the two mounts, pivot_root(2).
	{"pivot_root", []string{"/mnt", "/mnt"}, func(a []string) syscallForm {
		pivot := func(root, old string) syscallForm {
			return syscallForm{name: "pivot_root", trap: syscall.SYS_PIVOT_ROOT, args: []word{str(root), str(old)}}
		}
		old := "/" + strings.Trim(strings.TrimPrefix(a[1], a[0]), "/") // as the new root names it
		return pivot(a[0], a[1]).undoneBy(pivot(old, path.Join(old, a[0])))
	}},
	// The same file system, which a directory of an overlay's lower layer and its
	// new place are not: rename(2), EXDEV.
	{"rename", []string{"/tmp/old", "/tmp/new"}, func(a []string) syscallForm {
		move := func(from, to string) syscallForm {
			return syscallForm{name: "renameat", trap: syscall.SYS_RENAMEAT, args: []word{atFdcwd, str(from), atFdcwd, str(to)}}
		}
		return move(a[0], a[1]).undoneBy(move(a[1], a[0]))
	}},
	// CAP_CHOWN, and the id mapped in the user namespace.
	{"chown", []string{"/tmp", "0"}, func(a []string) syscallForm {
		return onNumber(a[1], func(uid int) syscallForm {
			var was syscall.Stat_t
			if err := syscall.Stat(a[0], &was); err != nil {
				return syscallForm{err: refusal("stat "+a[0], err)}
			}
			return chownTo(a[0], uid).undoneBy(chownTo(a[0], int(was.Uid)))
		})
	}},
	// CAP_MKNOD in the initial user namespace; 1:3 is /dev/null.
	{"mknod", []string{"/tmp/probe-null"}, func(a []string) syscallForm {
		return syscallForm{name: "mknodat", trap: syscall.SYS_MKNODAT,
			args: []word{atFdcwd, str(a[0]), sym("S_IFCHR|0600", syscall.S_IFCHR|0o600),
				sym("makedev(1, 3)", 1<<8|3)},
		}.undoneBy(syscallForm{name: "unlinkat", trap: syscall.SYS_UNLINKAT,
			args: []word{atFdcwd, str(a[0]), num(0)}})
	}},
	// CAP_SYS_ADMIN in the user namespace that owns the UTS namespace.
	{"sethostname", []string{"probe"}, func(a []string) syscallForm {
		was, err := os.Hostname()
		if err != nil {
			return syscallForm{err: refusal("uname", err)}
		}
		return hostnameTo(a[0]).undoneBy(hostnameTo(was))
	}},
	// CAP_SYS_TIME in the initial user namespace. It sets the time it is now.
	{"clock_settime", nil, func([]string) syscallForm {
		now, err := readClock(0)
		return syscallForm{name: "clock_settime", trap: syscall.SYS_CLOCK_SETTIME, err: err,
			args: []word{sym("CLOCK_REALTIME", 0), {p: unsafe.Pointer(&now), text: "{now}"}}}
	}},
	// No capability, but EPERM in a chroot and where a sysctl or filter says so.
	{"unshare-user", nil, func([]string) syscallForm {
		return syscallForm{name: "unshare", trap: syscall.SYS_UNSHARE,
			args: []word{sym("CLONE_NEWUSER", syscall.CLONE_NEWUSER)}}
	}},
	// No capability: the parent becomes the tracer. Filters often refuse it.
	{"ptrace", nil, func([]string) syscallForm {
		return syscallForm{name: "ptrace", trap: syscall.SYS_PTRACE,
			args: []word{sym("PTRACE_TRACEME", syscall.PTRACE_TRACEME), num(0), null(), null()}}
	}},
	// Keyrings are not namespaced with the rest of a container: filters refuse it.
	{"keyctl", nil, func([]string) syscallForm {
		return syscallForm{name: "keyctl", trap: syscall.SYS_KEYCTL,
			args: []word{sym("KEYCTL_GET_KEYRING_ID", 0), sym("KEY_SPEC_PROCESS_KEYRING", -2), num(1)}}
	}},
	// CAP_BPF where kernel.unprivileged_bpf_disabled is set.
	{"bpf", nil, func([]string) syscallForm { return bpfMapCreate("array", 2) }}, // BPF_MAP_TYPE_ARRAY
	// CAP_SYS_MODULE. The image is empty, so with it the answer is ENOEXEC.
	{"init_module", nil, func([]string) syscallForm {
		return syscallForm{name: "init_module", trap: syscall.SYS_INIT_MODULE,
			args: []word{null(), num(0), str("")}}
	}},
	// CAP_SETUID for an id that is not one's own, mapped in the user namespace.
	{"setuid", []string{"0"}, func(a []string) syscallForm {
		return onNumber(a[0], func(uid int) syscallForm {
			return syscallForm{name: "setuid", trap: syscall.SYS_SETUID, args: []word{num(uid)}}
		})
	}},
	// CAP_NET_RAW in the user namespace that owns the network namespace.
	{"raw-socket", nil, func([]string) syscallForm {
		return syscallForm{name: "socket", trap: syscall.SYS_SOCKET,
			args: []word{sym("AF_INET", syscall.AF_INET), sym("SOCK_RAW", syscall.SOCK_RAW),
				sym("IPPROTO_ICMP", syscall.IPPROTO_ICMP)}}
	}},
	// The file's mode, or CAP_DAC_READ_SEARCH; a device also asks its cgroup.
	{"open", []string{"/proc/kcore"}, func(a []string) syscallForm {
		return syscallForm{name: "openat", trap: syscall.SYS_OPENAT,
			args: []word{atFdcwd, str(a[0]), sym("O_RDONLY|O_NONBLOCK", syscall.O_RDONLY|syscall.O_NONBLOCK)}}
	}},
	// No capability. Filters ask for the first argument: AF_VSOCK leads to the
	// hypervisor, past every network namespace.
	{"vsock", nil, func([]string) syscallForm {
		return syscallForm{name: "socket", trap: syscall.SYS_SOCKET,
			args: []word{sym("AF_VSOCK", 40), sym("SOCK_STREAM", syscall.SOCK_STREAM), num(0)}}
	}},
	// No capability: personality(2), which makes this child's addresses predictable.
	{"personality", nil, func([]string) syscallForm {
		return syscallForm{name: "personality", trap: syscall.SYS_PERSONALITY, args: []word{sym("ADDR_NO_RANDOMIZE", 0x40000)}}
	}},
	// As unshare-user, by the call that makes processes. Both ways return twice, and
	// the new process ends at once as well.
	{"clone-user", nil, func([]string) syscallForm {
		return syscallForm{name: "clone", trap: syscall.SYS_CLONE,
			args: []word{sym("CLONE_NEWUSER|SIGCHLD", syscall.CLONE_NEWUSER|int(syscall.SIGCHLD)), num(0), num(0), num(0), num(0)}}
	}},
	// No capability. A filter cannot follow the pointer to its flags, so it is
	// refused whole.
	{"clone3", nil, func([]string) syscallForm {
		args := &[8]uint64{4: uint64(syscall.SIGCHLD)} // struct clone_args, exit_signal
		return syscallForm{name: "clone3", trap: sysClone3, args: []word{{p: unsafe.Pointer(args), text: "{exit_signal=SIGCHLD}"}, num(int(unsafe.Sizeof(*args)))}}
	}},
	// CAP_SYS_CHROOT.
	{"chroot", []string{"/"}, func(a []string) syscallForm {
		return syscallForm{name: "chroot", trap: syscall.SYS_CHROOT, args: []word{str(a[0])}}
	}},
}

func chownTo(path string, uid int) syscallForm {
	return syscallForm{name: "fchownat", trap: syscall.SYS_FCHOWNAT,
		args: []word{atFdcwd, str(path), num(uid), num(-1), num(0)}}
}

func hostnameTo(name string) syscallForm {
	return syscallForm{name: "sethostname", trap: syscall.SYS_SETHOSTNAME,
		args: []word{str(name), num(len(name))}}
}

// atFdcwd stands for the working directory; arm64 has only the *at calls.
var atFdcwd = sym("AT_FDCWD", -100)

// bpfMapCreate makes a map with one entry.
func bpfMapCreate(kind string, number uint32) syscallForm {
	attr := &bpfMap{kind: number, keySize: 4, valueSize: 4, maxEntries: 1}
	return syscallForm{name: "bpf", trap: sysBPF, args: []word{sym("BPF_MAP_CREATE", 0),
		{p: unsafe.Pointer(attr), text: "{" + kind + ", 1 entry}"}, num(int(unsafe.Sizeof(*attr)))}}
}

// bpfMap is the part of union bpf_attr that BPF_MAP_CREATE reads, bpf(2).
type bpfMap struct{ kind, keySize, valueSize, maxEntries, flags uint32 }

// onNumber reads a numeric argument before the call is made up.
func onNumber(s string, form func(int) syscallForm) syscallForm {
	n, err := strconv.Atoi(s)
	if err != nil {
		return syscallForm{err: fmt.Errorf("%q: not a number: %w", s, errUsage)}
	}
	return form(n)
}

// callNames lists the calls for the usage text.
func callNames() []string {
	names := make([]string, len(calls))
	for i, c := range calls {
		names[i] = c.name
	}
	return names
}
