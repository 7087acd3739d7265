package main

import (
	"strings"
	"syscall"
	"unsafe"
)

// mountFlags are those of mount(2) that a lesson sets.
var mountFlags = []struct {
	name, constant string
	bit            int
}{
	{"bind", "MS_BIND", syscall.MS_BIND},
	{"rec", "MS_REC", syscall.MS_REC},
	{"remount", "MS_REMOUNT", syscall.MS_REMOUNT},
	{"rdonly", "MS_RDONLY", syscall.MS_RDONLY},
}

// mount makes one mount(2) with the flags it is given. mount(8) is kinder: it
// makes a second call where the first would ignore a flag, and hides just that.
func mount(args []string) error {
	if len(args) < 2 || len(args) > 3 {
		return errUsage
	}
	flags, ok := flagsOf(args[0])
	if !ok {
		return errUsage
	}
	source := null()
	if len(args) == 3 {
		source = str(args[1])
	}
	return syscallForm{name: "mount", trap: syscall.SYS_MOUNT,
		args: []word{source, str(args[len(args)-1]), null(), flags, null()}}.try()
}

// flagsOf reads "bind,rdonly".
func flagsOf(list string) (word, bool) {
	var constants []string
	bits := 0
	for _, name := range strings.Split(list, ",") {
		known := false
		for _, f := range mountFlags {
			if f.name == name {
				known, bits, constants = true, bits|f.bit, append(constants, f.constant)
			}
		}
		if !known {
			return word{}, false
		}
	}
	return sym(strings.Join(constants, "|"), bits), true
}

// sysMountSetattr is younger than the syscall package's list of numbers, and the
// same on every architecture.
const sysMountSetattr = 442

// setattr makes a mount and every mount below it read-only, all or none:
// mount_setattr(2), since Linux 5.12.
func setattr(args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	const readonly, recursive = 0x1, 0x8000 // MOUNT_ATTR_RDONLY, AT_RECURSIVE
	attr := &struct{ set, clear, propagation, userns uint64 }{set: readonly}
	return syscallForm{name: "mount_setattr", trap: sysMountSetattr, args: []word{
		atFdcwd, str(args[0]), sym("AT_RECURSIVE", recursive),
		{p: unsafe.Pointer(attr), text: "{attr_set=MOUNT_ATTR_RDONLY}"}, num(int(unsafe.Sizeof(*attr)))}}.try()
}
