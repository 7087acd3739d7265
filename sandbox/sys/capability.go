package sys

import (
	"fmt"
	"math/bits"
	"strings"
)

// capNames are the capabilities by number: capabilities(7) and
// include/uapi/linux/capability.h.
var capNames = []string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID",
	"CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK",
	"CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE",
	"CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE",
	"CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG",
	"CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF",
	"CAP_CHECKPOINT_RESTORE",
}

// CapName gives the name of capability n, "CAP_41" for one newer than this program.
func CapName(n int) string {
	if n >= 0 && n < len(capNames) {
		return capNames[n]
	}
	return fmt.Sprintf("CAP_%d", n)
}

// CapNumber gives the number of a capability by its name, with or without
// "CAP_", in any case; ok is false for a name that does not exist.
func CapNumber(name string) (n int, ok bool) {
	name = "CAP_" + strings.TrimPrefix(strings.ToUpper(name), "CAP_")
	for i, c := range capNames {
		if c == name {
			return i, true
		}
	}
	return 0, false
}

// CapMask writes a set of capabilities as strace does: names joined by a bar, 0
// for none; a set of more than half is written as what it lacks.
func CapMask(mask uint64) string {
	all := uint64(1)<<len(capNames) - 1
	switch {
	case mask == 0:
		return "0"
	case mask == all:
		return "all"
	case bits.OnesCount64(mask) > len(capNames)/2:
		return "all&~(" + joinCaps(all&^mask) + ")"
	}
	return joinCaps(mask)
}

func joinCaps(mask uint64) string {
	var names []string
	for n := range 64 {
		if mask&(1<<n) != 0 {
			names = append(names, CapName(n))
		}
	}
	return strings.Join(names, "|")
}

// rlimitNames are the resource limits by number: getrlimit(2).
var rlimitNames = []string{
	"RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_DATA", "RLIMIT_STACK", "RLIMIT_CORE", "RLIMIT_RSS",
	"RLIMIT_NPROC", "RLIMIT_NOFILE", "RLIMIT_MEMLOCK", "RLIMIT_AS", "RLIMIT_LOCKS",
	"RLIMIT_SIGPENDING", "RLIMIT_MSGQUEUE", "RLIMIT_NICE", "RLIMIT_RTPRIO", "RLIMIT_RTTIME",
}

// RlimitNumber gives the number of a resource limit by its name.
func RlimitNumber(name string) (n int, ok bool) {
	for i, r := range rlimitNames {
		if r == name {
			return i, true
		}
	}
	return 0, false
}
