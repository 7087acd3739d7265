package inspect

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// capNames lists the capabilities by number (capabilities(7),
// include/uapi/linux/capability.h). The last three are newer than Linux 5.7.
var capNames = []string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER",
	"CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST",
	"CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER",
	"CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE",
	"CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE",
	"CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD",
	"CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP",
	"CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF",
	"CAP_CHECKPOINT_RESTORE",
}

// capSets are the five sets of a process and their lines in /proc/PID/status.
var capSets = []struct{ key, line string }{
	{"effective", "CapEff"},
	{"permitted", "CapPrm"},
	{"inheritable", "CapInh"},
	{"bounding", "CapBnd"},
	{"ambient", "CapAmb"},
}

// caps adds the capability sets of p. They are relative to the user namespace
// p is in: all of them in a user namespace of one's own are none on the host.
func (s *survey) caps(p place, status map[string]string) {
	last := len(capNames) - 1
	if text, err := readText("/proc/sys/kernel/cap_last_cap"); err == nil {
		if n, err := strconv.Atoi(text); err == nil {
			last = n
		}
	}
	var d Detail
	for _, set := range capSets {
		mask, err := strconv.ParseUint(status[set.line], 16, 64)
		if err != nil {
			s.gap("read "+set.line+" of "+p.proc, err)
			continue
		}
		d = d.with(set.key, capText(mask, last))
	}
	d = d.with("relative to", p.ns[User])
	s.add(Object{Kind: Caps, ID: strconv.Itoa(p.pid), Where: p.proc + "/status", Detail: d})
}

// capText names the capabilities in mask; last is the highest number this
// kernel knows. A set that is nearly complete is told by what it lacks.
func capText(mask uint64, last int) string {
	all := uint64(1)<<(last+1) - 1
	missing := all &^ mask
	switch {
	case mask == 0:
		return "none"
	case missing == 0:
		return fmt.Sprintf("all %d", last+1)
	case bits.OnesCount64(missing) <= 4:
		return fmt.Sprintf("all %d but %s", last+1, strings.Join(capList(missing), " "))
	}
	return strings.Join(capList(mask), " ")
}

// capList names the capabilities in mask; one newer than this program is shown
// by its number.
func capList(mask uint64) []string {
	var names []string
	for n := range 64 {
		switch {
		case mask&(1<<n) == 0:
		case n < len(capNames):
			names = append(names, capNames[n])
		default:
			names = append(names, "capability "+strconv.Itoa(n))
		}
	}
	return names
}
