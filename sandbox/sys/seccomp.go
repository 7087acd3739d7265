package sys

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// What a seccomp filter may answer: seccomp(2), "Filter return values". The low
// 16 bits carry data: the error number for ERRNO, a message for TRACE.
const (
	SeccompAllow       = unix.SECCOMP_RET_ALLOW
	SeccompLog         = unix.SECCOMP_RET_LOG
	SeccompTrace       = unix.SECCOMP_RET_TRACE
	SeccompErrno       = unix.SECCOMP_RET_ERRNO
	SeccompTrap        = unix.SECCOMP_RET_TRAP
	SeccompKillThread  = unix.SECCOMP_RET_KILL_THREAD
	SeccompKillProcess = unix.SECCOMP_RET_KILL_PROCESS
)

// MaxFilter is the greatest number of instructions in a filter: BPF_MAXINSNS.
const MaxFilter = unix.BPF_MAXINSNS

// X32 is the lowest number of the x32 calling convention, which shares its
// AUDIT_ARCH_* with x86-64: seccomp(2), "Architecture values".
const X32 = 0x40000000

// AuditArch names the architecture of this program as a filter sees it; ok is
// false for one whose numbers this package does not have.
func AuditArch() (arch uint32, ok bool) {
	switch runtime.GOARCH {
	case "amd64":
		return unix.AUDIT_ARCH_X86_64, true
	case "arm64":
		return unix.AUDIT_ARCH_AARCH64, true
	}
	return 0, false
}
