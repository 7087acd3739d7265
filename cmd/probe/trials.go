package main

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

// Numbers that package syscall does not have, the same on amd64 and arm64:
// asm-generic, uapi/linux/fs.h, fcntl.h, timerfd.h, sched.h.
const (
	sysClone3  = 435
	getFlags   = 0x80086601 // FS_IOC_GETFLAGS
	setFlags   = 0x40086602 // FS_IOC_SETFLAGS
	immutable  = 0x10       // FS_IMMUTABLE_FL
	setLease   = 1024       // F_SETLEASE
	alarmClock = 8          // CLOCK_REALTIME_ALARM
	ptraceSize = 0x4206     // PTRACE_SEIZE
	oneTick    = 0x4000     // ADJ_TICK
)

// one is a call that needs no preparation.
func one(trap uintptr, args ...word) []syscallForm {
	return []syscallForm{{trap: trap, args: args}}
}

// trials has a call for each capability that the kernel refuses a call for.
// With the capability each either does no harm or fails for another reason,
// after the question for the capability.
var trials = []trial{
	{"files", "CHOWN", "", "chown(theirs, 1)", func(s *scene) []syscallForm {
		return one(syscall.SYS_FCHOWNAT, atFdcwd, str(s.theirs), num(stranger), num(1), num(0))
	}},
	{"files", "DAC_OVERRIDE", "", "open(theirs, O_WRONLY)", func(s *scene) []syscallForm {
		return one(syscall.SYS_OPENAT, atFdcwd, str(s.theirs), num(os.O_WRONLY))
	}},
	{"files", "DAC_READ_SEARCH", "DAC_OVERRIDE", "open(theirs, O_RDONLY)", func(s *scene) []syscallForm {
		return one(syscall.SYS_OPENAT, atFdcwd, str(s.theirs), num(os.O_RDONLY))
	}},
	{"files", "FOWNER", "", "chmod(theirs, 0600)", func(s *scene) []syscallForm {
		return one(syscall.SYS_FCHMODAT, atFdcwd, str(s.theirs), num(0o600))
	}},
	{"files", "SETFCAP", "", "setxattr(security.capability)", func(s *scene) []syscallForm {
		none := &[5]uint32{0x02000000} // struct vfs_cap_data, VFS_CAP_REVISION_2
		return one(syscall.SYS_SETXATTR, str(s.dir), str("security.capability"), word{p: unsafe.Pointer(none)}, num(20), num(0))
	}},
	{"files", "LINUX_IMMUTABLE", "", "ioctl(FS_IOC_SETFLAGS)", func(s *scene) []syscallForm {
		flags := s.flags() ^ immutable // only a change is asked about
		return one(syscall.SYS_IOCTL, num(int(s.file.Fd())), num(setFlags), word{p: unsafe.Pointer(&flags)})
	}},
	{"files", "MKNOD", "", "mknod(S_IFCHR, 1:3)", func(s *scene) []syscallForm {
		s.nodes++
		return one(syscall.SYS_MKNODAT, atFdcwd, str(fmt.Sprint(s.dir, "/null", s.nodes)), num(syscall.S_IFCHR|0o600), num(1<<8|3))
	}},
	{"files", "LEASE", "", "fcntl(theirs, F_SETLEASE)", func(s *scene) []syscallForm {
		return one(syscall.SYS_FCNTL, num(int(s.file.Fd())), num(setLease), num(0)) // F_RDLCK
	}},

	{"processes", "KILL", "", "kill(stranger, 0)", func(s *scene) []syscallForm {
		return one(syscall.SYS_KILL, num(int(s.helper)), num(0))
	}},
	{"processes", "SETUID", "", "setuid(1)", func(*scene) []syscallForm { return one(syscall.SYS_SETUID, num(1)) }},
	{"processes", "SETGID", "", "setgid(1)", func(*scene) []syscallForm { return one(syscall.SYS_SETGID, num(1)) }},
	{"processes", "SETPCAP", "", "prctl(PR_CAPBSET_DROP)", func(*scene) []syscallForm {
		return one(syscall.SYS_PRCTL, num(24), num(35)) // CAP_WAKE_ALARM
	}},
	{"processes", "SYS_PTRACE", "", "ptrace(SEIZE, stranger)", func(s *scene) []syscallForm {
		return one(syscall.SYS_PTRACE, num(ptraceSize), num(int(s.helper)), num(0), num(0))
	}},
	{"processes", "SYS_NICE", "", "sched_setaffinity(stranger)", func(s *scene) []syscallForm {
		every := make([]byte, 128)
		for i := range every {
			every[i] = 0xff
		}
		return one(syscall.SYS_SCHED_SETAFFINITY, num(int(s.helper)), num(len(every)), word{p: unsafe.Pointer(&every[0])})
	}},
	{"processes", "SYS_RESOURCE", "", "prlimit(stranger)", func(s *scene) []syscallForm {
		return one(syscall.SYS_PRLIMIT64, num(int(s.helper)), num(syscall.RLIMIT_NOFILE), null(), word{p: unsafe.Pointer(&syscall.Rlimit{})})
	}},
	{"processes", "SYS_CHROOT", "", `chroot("/")`, func(*scene) []syscallForm { return one(syscall.SYS_CHROOT, str("/")) }},
	{"processes", "IPC_OWNER", "", "shmat(segment of mode 0)", func(s *scene) []syscallForm {
		return one(syscall.SYS_SHMAT, num(int(s.shm)), null(), num(0o10000)) // SHM_RDONLY
	}},
	{"processes", "IPC_LOCK", "", "mlock(beyond RLIMIT_MEMLOCK)", func(*scene) []syscallForm {
		page := make([]byte, 2*syscall.Getpagesize())
		none := syscallForm{trap: syscall.SYS_PRLIMIT64, args: []word{num(0), num(8), {p: unsafe.Pointer(&syscall.Rlimit{})}, null()}}
		return append([]syscallForm{none}, one(syscall.SYS_MLOCK, word{p: unsafe.Pointer(&page[0])}, num(1))...)
	}},

	{"network", "NET_BIND_SERVICE", "", "bind(port 80)", func(s *scene) []syscallForm {
		port := &syscall.RawSockaddrInet4{Family: syscall.AF_INET, Port: 80 << 8}
		return one(syscall.SYS_BIND, num(s.udp), word{p: unsafe.Pointer(port)}, num(int(unsafe.Sizeof(*port))))
	}},
	{"network", "NET_RAW", "", "socket(SOCK_RAW)", func(*scene) []syscallForm {
		return one(syscall.SYS_SOCKET, num(syscall.AF_INET), num(syscall.SOCK_RAW), num(syscall.IPPROTO_ICMP))
	}},
	{"network", "NET_ADMIN", "NET_RAW", "setsockopt(SO_MARK)", func(s *scene) []syscallForm {
		mark := 1
		return one(syscall.SYS_SETSOCKOPT, num(s.udp), num(syscall.SOL_SOCKET), num(syscall.SO_MARK), word{p: unsafe.Pointer(&mark)}, num(4))
	}},
	{"machine", "SYS_ADMIN", "", "unshare(CLONE_NEWUTS)", func(*scene) []syscallForm {
		return one(syscall.SYS_UNSHARE, num(syscall.CLONE_NEWUTS))
	}},
	{"machine", "SYS_BOOT", "", "reboot(wrong magic)", func(*scene) []syscallForm {
		return one(syscall.SYS_REBOOT, num(0), num(0), num(0), null())
	}},
	{"machine", "CHECKPOINT_RESTORE", "SYS_ADMIN", "clone3(set_tid=30000)", func(*scene) []syscallForm {
		pid := &[1]int32{30000}
		args := &struct{ flags, pidfd, childTID, parentTID, exitSignal, stack, stackSize, tls, setTID, setTIDSize uint64 }{
			exitSignal: uint64(syscall.SIGCHLD), setTID: uint64(uintptr(unsafe.Pointer(pid))), setTIDSize: 1}
		pinned = append(pinned, pid)
		return one(sysClone3, word{p: unsafe.Pointer(args)}, num(int(unsafe.Sizeof(*args))))
	}},
	{"machine", "SYS_MODULE", "", "init_module(nothing)", func(*scene) []syscallForm {
		return one(syscall.SYS_INIT_MODULE, null(), num(0), str(""))
	}},
	{"machine", "SYS_RAWIO", "", "mmap(address 0)", func(*scene) []syscallForm {
		return one(syscall.SYS_MMAP, num(0), num(syscall.Getpagesize()), num(syscall.PROT_READ), num(syscall.MAP_PRIVATE|syscall.MAP_ANON|syscall.MAP_FIXED), num(-1), num(0))
	}},
	{"machine", "SYS_PACCT", "", "acct(no such file)", func(s *scene) []syscallForm {
		return one(syscall.SYS_ACCT, str(s.dir+"/none"))
	}},
	{"machine", "SYS_TIME", "", "adjtimex(impossible tick)", func(*scene) []syscallForm {
		return one(syscall.SYS_ADJTIMEX, word{p: unsafe.Pointer(&syscall.Timex{Modes: oneTick})})
	}},
	{"machine", "SYS_TTY_CONFIG", "", "vhangup() without a terminal", func(*scene) []syscallForm {
		return append(one(syscall.SYS_SETSID), one(syscall.SYS_VHANGUP)...)
	}},
	{"machine", "SYSLOG", "SYS_ADMIN", "syslog(size unread)", func(*scene) []syscallForm {
		return one(syscall.SYS_SYSLOG, num(9), null(), num(0)) // SYSLOG_ACTION_SIZE_UNREAD
	}},
	{"machine", "WAKE_ALARM", "", "timerfd_create(alarm clock)", func(*scene) []syscallForm {
		return one(syscall.SYS_TIMERFD_CREATE, num(alarmClock), num(0))
	}},
	{"machine", "AUDIT_READ", "", "bind(audit log)", func(*scene) []syscallForm {
		// A socket can be bound once only. A kernel without audit has none, and says
		// EBADF.
		fd, _ := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, syscall.NETLINK_AUDIT)
		log := &syscall.RawSockaddrNetlink{Family: syscall.AF_NETLINK, Groups: 1} // AUDIT_NLGRP_READLOG
		return one(syscall.SYS_BIND, num(fd), word{p: unsafe.Pointer(log)}, num(int(unsafe.Sizeof(*log))))
	}},
	{"machine", "PERFMON", "SYS_ADMIN", "perf_event_open(kernel too)", func(*scene) []syscallForm {
		return []syscallForm{countKernel()}
	}},
	{"machine", "BPF", "SYS_ADMIN", "bpf(BPF_MAP_CREATE)", func(*scene) []syscallForm {
		return []syscallForm{bpfMapCreate("array", 2)} // BPF_MAP_TYPE_ARRAY
	}},
}

// pinned keeps what a number points to, which the collector does not follow.
var pinned []any
