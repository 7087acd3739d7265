package doctor

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
)

// Guests knows what the microVM is made of. Errors say what is missing.
type Guests interface {
	// Emulator gives the program that runs guests.
	Emulator() (string, error)
	// Kernel describes the one a guest gets, or would get.
	Kernel(ctx context.Context) (string, error)
	// KVM describes hardware acceleration; the error says why there is none: of
	// opening the device, or a *NoGuestError. Where it is not known, a guest is booted.
	KVM(ctx context.Context) (string, error)
}

// NoGuestError says that KVM is there, but no guest comes up under it.
type NoGuestError struct{ Why string }

func (e *NoGuestError) Error() string { return e.Why }

// emulator looks for QEMU.
func (m Machine) emulator(ctx context.Context) Finding {
	const check = "emulator"
	program, err := m.Guests.Emulator()
	if err != nil {
		return Finding{Check: check, Level: Broken, Found: err.Error(), Cause: "there is no disposable machine: containers can be built on this host only",
			Fix: m.install(ctx, "vm")}
	}
	return fine(check, "%s", program)
}

// guestKernel looks for a kernel that a guest can boot.
func (m Machine) guestKernel(ctx context.Context) Finding {
	const check = "guest kernel"
	kernel, err := m.Guests.Kernel(ctx)
	if err == nil {
		return fine(check, "%s", kernel)
	}
	f := Finding{Check: check, Level: Broken, Found: err.Error(), Cause: "there is nothing to boot in the microVM", Fix: m.install(ctx, "kernel")}
	// Ubuntu's kernels are root's to read.
	if images, err := filepath.Glob(filepath.Join(m.Root, "boot/vmlinuz-*")); err == nil && len(images) > 0 {
		f.Fix = "sudo chmod a+r /boot/vmlinuz-*"
	}
	return f
}

// acceleration looks at KVM, without which a guest is slow but the same.
func (m Machine) acceleration(ctx context.Context) Finding {
	const check = "KVM"
	found, err := m.Guests.KVM(ctx)
	if err == nil {
		return fine(check, "%s", found)
	}
	f := Finding{Check: check, Level: Limited, Found: err.Error(), Cause: "guests run in software emulation: they boot in seconds, not in a fraction of one"}
	cpu, _ := m.read("proc/cpuinfo")
	var broken *NoGuestError
	switch {
	case errors.Is(err, fs.ErrPermission):
		f.Fix = "sudo usermod -aG kvm $USER, and log in again"
	case errors.As(err, &broken):
		f.Fix = "nothing in here: this is a virtual machine itself, and its host would have to let it nest them"
	case m.wsl():
		f.Fix = wslConfig("nestedVirtualization = true")
	case hasFlag(cpu, "vmx"):
		f.Fix = "sudo modprobe kvm_intel; if that fails, switch on VT-x in the firmware"
	case hasFlag(cpu, "svm"):
		f.Fix = "sudo modprobe kvm_amd; if that fails, switch on SVM in the firmware"
	default:
		f.Fix = "switch virtualization on in the firmware, or in the hypervisor whose guest this is"
	}
	return f
}

// hasFlag looks for a feature of the processor: proc_cpuinfo(5), flags.
func hasFlag(cpuinfo, flag string) bool {
	for line := range strings.Lines(cpuinfo) {
		if name, flags, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "flags" {
			return strings.Contains(" "+strings.TrimSpace(flags)+" ", " "+flag+" ")
		}
	}
	return false
}
