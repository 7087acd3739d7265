package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"unsafe"
)

// lost shows what each capability is for: the same call by a process that has
// all the caller has, and by one that has all but this. It takes names of
// capabilities, or of groups of them: files, processes, network, machine.
//
// A capability that makes no difference here is named at the end. In a user
// namespace that is so for all that the kernel asks for in the first one:
// user_namespaces(7), "Effect of capabilities".
func lost(names []string) error {
	chosen, err := choose(names)
	if err != nil {
		return err
	}
	s, err := newScene()
	if err != nil {
		return err
	}
	defer s.clear()
	fmt.Printf("%-18s %-29s %-8s %s\n", "capability CAP_", "call", "with", "without")
	var same, silent []string
	for _, t := range chosen {
		with, without, err := t.try(s)
		if err != nil {
			return err
		}
		switch refused := without == "EPERM" || without == "EACCES"; {
		case !refused:
			silent = append(silent, t.capability+" ("+without+")")
		case with == without:
			same = append(same, t.capability)
		default:
			fmt.Printf("%-18s %-29s %-8s %s\n", t.capability, t.text, with, without)
		}
	}
	if len(same) > 0 {
		fmt.Print(wrap("refused either way:", same))
	}
	if len(silent) > 0 {
		fmt.Print(wrap("not refused:", silent))
	}
	return nil
}

// choose finds trials by the names of capabilities or groups.
func choose(names []string) (chosen []trial, err error) {
	if len(names) == 0 {
		return nil, errUsage
	}
	for _, name := range names {
		before := len(chosen)
		for _, t := range trials {
			if t.capability == name || t.group == name {
				chosen = append(chosen, t)
			}
		}
		if len(chosen) == before {
			return nil, errUsage
		}
	}
	return chosen, nil
}

// trial is a call that the kernel refuses to who lacks a capability.
type trial struct {
	group      string // what it is about
	capability string // without CAP_
	// also are capabilities that would do in its place: neither process has them.
	also string
	text string
	// call gives the call, and before it those that prepare for it.
	call func(*scene) []syscallForm
}

// try makes the call twice and gives both results: "ok" or the errno.
func (t trial) try(s *scene) (with, without string, err error) {
	also := capBits(strings.Fields(t.also)...)
	for _, one := range []struct {
		result *string
		drop   uint64
	}{{&with, also}, {&without, also | capBits(t.capability)}} {
		calls := t.call(s)
		last := len(calls) - 1
		calls = append(calls[:last:last], dropCaps(s.caps&^one.drop), calls[last])
		got, err := inChild(calls...)
		switch {
		case err != nil:
			return "", "", err
		case !got.done:
			*one.result = "killed by " + got.signal.String()
		case got.errno != 0:
			*one.result = errnoName(got.errno)
		default:
			*one.result = "ok"
		}
	}
	return with, without, nil
}

func capBits(names ...string) (set uint64) {
	for _, name := range names {
		set |= 1 << slices.Index(capabilities, name)
	}
	return set
}

// dropCaps leaves a process these capabilities and no others: capset(2), version
// 3 of its header, 64 bits in two halves.
func dropCaps(set uint64) syscallForm {
	header := &struct {
		version uint32
		pid     int32
	}{version: 0x20080522}
	data := &[2]struct{ effective, permitted, inheritable uint32 }{}
	for i := range data {
		data[i].effective = uint32(set >> (32 * i))
		data[i].permitted = data[i].effective
	}
	return syscallForm{trap: syscall.SYS_CAPSET, args: []word{{p: unsafe.Pointer(header)}, {p: unsafe.Pointer(data)}}}
}

// stranger is a user that is not the caller, and whom its files belong to.
const stranger = 1000

// scene is what the trials need to be there.
type scene struct {
	caps   uint64 // of the caller
	dir    string
	theirs string   // a file of the stranger's, for nobody else
	file   *os.File // open on it
	helper uintptr  // a process of the stranger's
	shm    uintptr  // a segment that its owner may not use: mode 0
	udp    int
	nodes  int // made so far
}

// newScene sets it up; that takes CAP_CHOWN and CAP_SETUID.
func newScene() (*scene, error) {
	s := &scene{}
	var err error
	if s.caps, err = effectiveCaps(); err != nil {
		return nil, refusal("capget", err)
	}
	if s.dir, err = os.MkdirTemp("", "probe-lost-"); err != nil {
		return nil, err
	}
	s.theirs = s.dir + "/theirs"
	if err = os.WriteFile(s.theirs, nil, 0o600); err == nil {
		err = os.Chown(s.theirs, stranger, 0)
	}
	if err == nil {
		s.file, err = os.Open(s.theirs)
	}
	if err == nil {
		s.udp, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	}
	if err == nil {
		err = s.others()
	}
	if err != nil {
		s.clear()
		return nil, err
	}
	return s, nil
}

// others makes the process and the segment.
func (s *scene) others() error {
	const private, size = 0, 4096 // IPC_PRIVATE, shmget(2)
	id, _, e := syscall.RawSyscall(syscall.SYS_SHMGET, private, size, 0)
	if e != 0 {
		return refusal("shmget", e)
	}
	s.shm = id
	var ready [2]int
	if err := syscall.Pipe2(ready[:], syscall.O_CLOEXEC); err != nil {
		return refusal("pipe", err)
	}
	if s.helper, e = rawFork(); e != 0 {
		return refusal("fork", e)
	}
	if s.helper == 0 {
		syscall.RawSyscall(syscall.SYS_SETRESUID, stranger, stranger, stranger)
		// A change of user clears this, so it comes after.
		syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0)
		syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(ready[1]), 0, 0)
		for {
			syscall.RawSyscall(syscall.SYS_PPOLL, 0, 0, 0)
		}
	}
	syscall.Close(ready[1])
	defer syscall.Close(ready[0])
	_, err := syscall.Read(ready[0], make([]byte, 1)) // until it is the stranger
	return err
}

// flags are those of the file, 0 where the file system has none.
func (s *scene) flags() (flags int) {
	_, _, _ = syscall.RawSyscall(syscall.SYS_IOCTL, s.file.Fd(), getFlags, uintptr(unsafe.Pointer(&flags)))
	return flags
}

// clear takes all of it away.
func (s *scene) clear() {
	if s.helper != 0 {
		_ = syscall.Kill(int(s.helper), syscall.SIGKILL)
		_, _ = syscall.Wait4(int(s.helper), nil, 0, nil)
	}
	if s.shm != 0 {
		_, _, _ = syscall.RawSyscall(syscall.SYS_SHMCTL, s.shm, 0, 0) // IPC_RMID
	}
	if s.file != nil {
		flags := s.flags() &^ immutable // or nobody could remove it
		_, _, _ = syscall.RawSyscall(syscall.SYS_IOCTL, s.file.Fd(), setFlags, uintptr(unsafe.Pointer(&flags)))
		s.file.Close()
	}
	os.RemoveAll(s.dir)
}
