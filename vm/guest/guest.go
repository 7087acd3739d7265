// Package guest is what a microVM runs as PID 1: it makes a root file system
// out of the initramfs, loads the modules it was given, and runs commands for
// whoever is at the other end of the control port.
//
// Its one invariant: the guest lives as long as somebody outside holds that
// port. When it closes, however that came about, the machine powers off. Read
// boot.go for how the machine comes up, session.go for how a command runs.
package guest

import (
	"fmt"
	"os"
	"strings"
	"time"

	"cutaway/sandbox/sys"
)

// Marker is the variable that tells the program to be a guest's PID 1. The
// kernel passes what it does not know of its command line on to init: bootparam(7).
const Marker = "CUTAWAY_GUEST"

// Port is the name of the virtio port that control goes over.
const Port = "cutaway.control"

// ModuleList names the kernel modules to load before anything else, one a line. The others are loaded by modprobe when the kernel asks for them.
const ModuleList = "/etc/cutaway-modules"

// Here reports whether this process is PID 1 of a machine made by package vm.
func Here() bool { return os.Getpid() == 1 && os.Getenv(Marker) != "" }

// Main is the life of PID 1. It returns only if the machine cannot be switched
// off, and the kernel panics when PID 1 ends: the host sees either.
func Main() {
	err := live()
	if err != nil {
		// The console, which the host shows when a machine is lost.
		fmt.Fprintln(os.Stderr, "cutaway guest:", err)
	}
	if err := sys.PowerOff(); err != nil {
		fmt.Fprintln(os.Stderr, "cutaway guest: power off:", err)
	}
	time.Sleep(time.Second)
}

func live() error {
	if err := os.Unsetenv(Marker); err != nil {
		return err
	}
	if err := furnish(); err != nil {
		return err
	}
	if err := loadModules(); err != nil {
		return err
	}
	port, err := openPort(10 * time.Second)
	if err != nil {
		return err
	}
	return serve(port)
}

// uptime reads how long the kernel has run, in seconds: proc_uptime(5).
func uptime() float64 {
	var seconds float64
	if b, err := os.ReadFile("/proc/uptime"); err == nil {
		_, _ = fmt.Sscan(string(b), &seconds) // 0 if the kernel changes its mind about the format
	}
	return seconds
}

// words reads a file of one word a line.
func words(file string) ([]string, error) {
	b, err := os.ReadFile(file)
	return strings.Fields(string(b)), err
}
