package sys

import (
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What PID 1 of a machine does, and nobody else.

// LoadModule puts a kernel module into the kernel: init_module(2). One that is
// loaded already is no error.
func LoadModule(image []byte, parameters string) error {
	params, err := unix.BytePtrFromString(parameters)
	if err != nil {
		return err
	}
	if len(image) == 0 {
		return unix.ENOEXEC
	}
	_, _, e := unix.Syscall(unix.SYS_INIT_MODULE, uintptr(unsafe.Pointer(&image[0])), uintptr(len(image)), uintptr(unsafe.Pointer(params)))
	if e != 0 && e != unix.EEXIST {
		return e
	}
	return nil
}

// PowerOff writes out what is cached and switches the machine off: reboot(2).
// It does not return where that works.
func PowerOff() error {
	unix.Sync()
	return unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}

// SetClock sets the machine's clock: clock_settime(2).
func SetClock(t time.Time) error {
	ts := unix.NsecToTimespec(t.UnixNano())
	return unix.ClockSettime(unix.CLOCK_REALTIME, &ts)
}

// KernelRelease is what uname -r prints: uname(2).
func KernelRelease() (string, error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "", fmt.Errorf("read the kernel's release: %w", err)
	}
	return unix.ByteSliceToString(u.Release[:]), nil
}
