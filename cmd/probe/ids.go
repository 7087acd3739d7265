package main

import (
	"fmt"
	"math/bits"
	"strings"
	"syscall"
	"unsafe"
)

// Options of prctl(2).
const (
	prGetSeccomp    = 21
	prGetNoNewPrivs = 39
)

// ids prints the credentials of this process, asked of the kernel by system
// call so that it works where /proc is not mounted.
func ids(args []string) error {
	if len(args) != 0 {
		return errUsage
	}
	groups, err := syscall.Getgroups()
	if err != nil {
		return refusal("getgroups", err)
	}
	effective, err := effectiveCaps()
	if err != nil {
		return refusal("capget", err)
	}
	fmt.Printf("uid %d euid %d\n", syscall.Getuid(), syscall.Geteuid())
	fmt.Printf("gid %d egid %d\n", syscall.Getgid(), syscall.Getegid())
	fmt.Println("groups", strings.Trim(fmt.Sprint(groups), "[]"))
	fmt.Println("NoNewPrivs", prctl(prGetNoNewPrivs))
	fmt.Println("Seccomp", seccompMode(prctl(prGetSeccomp)))
	fmt.Print(wrap("CapEff", capNames(effective)))
	return nil
}

// prctl reads one attribute, or says why it could not.
func prctl(option uintptr) string {
	r, _, e := syscall.RawSyscall6(syscall.SYS_PRCTL, option, 0, 0, 0, 0, 0)
	if e != 0 {
		return errnoName(e)
	}
	return fmt.Sprint(r)
}

// seccompMode names the mode of seccomp(2); in mode 1 nobody could ask.
func seccompMode(mode string) string {
	switch mode {
	case "0":
		return "0 (disabled)"
	case "2":
		return "2 (filter)"
	}
	return mode
}

// effectiveCaps is capget(2), version 3 of its header: 64 bits in two halves.
func effectiveCaps() (uint64, error) {
	header := struct {
		version uint32
		pid     int32
	}{version: 0x20080522}
	var data [2]struct{ effective, permitted, inheritable uint32 }
	_, _, e := syscall.RawSyscall(syscall.SYS_CAPGET,
		uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&data[0])), 0)
	if e != 0 {
		return 0, e
	}
	return uint64(data[1].effective)<<32 | uint64(data[0].effective), nil
}

// capabilities in the order of their numbers, capabilities(7).
var capabilities = strings.Fields(`
	CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP
	LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK
	IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN
	SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE
	AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND
	AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`)

// capNames gives the names of a set, or one word for the two common ones.
func capNames(set uint64) []string {
	switch {
	case set == 0:
		return []string{"none"}
	case bits.OnesCount64(set) >= len(capabilities):
		return []string{"all"}
	}
	var names []string
	for n := range 64 {
		switch {
		case set&(1<<n) == 0:
		case n < len(capabilities):
			names = append(names, "CAP_"+capabilities[n])
		default:
			names = append(names, fmt.Sprint(n))
		}
	}
	return names
}

// lineWidth is what a lesson has left of 80 columns beside its own words.
const lineWidth = 66

// wrap writes words after a label in lines of at most lineWidth columns.
func wrap(label string, words []string) string {
	var b strings.Builder
	column := 0
	for _, word := range words {
		if column == 0 || column+1+len(word) > lineWidth {
			if column > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(label)
			column = len(label)
			label = strings.Repeat(" ", len(label))
		}
		b.WriteString(" " + word)
		column += 1 + len(word)
	}
	return b.String() + "\n"
}
