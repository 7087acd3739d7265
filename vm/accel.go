package vm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// kvmLimit is how long a guest may take to boot under KVM; it needs less than a
// second.
const kvmLimit = 4 * time.Second

// Verdict is what is known of hardware acceleration on this machine.
type Verdict struct {
	Accel string `json:"accel"` // kvm or tcg, which is emulation in software
	Why   string `json:"why"`   // why not kvm, "" if it is

	// The verdict holds for one boot of the host and one QEMU.
	Boot string `json:"boot"`
	QEMU string `json:"qemu"`
}

// Acceleration says how machines of this architecture are run, as far as it is
// known: known is false until the first has been booted. That KVM's device is
// there and answers says little: in a virtual machine it may let a guest hang at
// its first instructions. What counts is that a kernel came up under it.
func Acceleration(arch string) (v Verdict, known bool) {
	v = Verdict{Accel: "tcg", Boot: bootID(), QEMU: qemuID(arch)}
	if arch != runtime.GOARCH {
		v.Why = "this processor is no " + arch
		return v, true
	}
	f, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		v.Why = err.Error()
		return v, true
	}
	f.Close()
	var kept Verdict
	if b, err := os.ReadFile(verdictFile(arch)); err == nil && json.Unmarshal(b, &kept) == nil &&
		kept.Boot == v.Boot && kept.QEMU == v.QEMU {
		return kept, true
	}
	return v, false
}

// remember keeps the verdict for this boot of the host.
func (v Verdict) remember(arch string) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if _, err := cacheDir("accel"); err != nil {
		return err
	}
	return os.WriteFile(verdictFile(arch), b, 0o644)
}

func verdictFile(arch string) string {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "" // no verdict is ever found there
	}
	return filepath.Join(cache, "cutaway", "accel", arch+".json")
}

// bootID tells one boot of the host from another: random(4).
func bootID() string {
	b, _ := os.ReadFile("/proc/sys/kernel/random/boot_id") // unread, it is the same for all
	return string(bytes.TrimSpace(b))
}

// qemuID tells one QEMU from another.
func qemuID(arch string) string {
	path, err := exec.LookPath(emulators[arch].program)
	if err != nil {
		return ""
	}
	st, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprint(path, " ", st.Size(), " ", st.ModTime().Unix())
}

// bootBest boots under KVM where that works, else in emulation. The first
// machine is the experiment, and its result is kept.
func (h hardware) bootBest(ctx context.Context, limit time.Duration) (*Machine, error) {
	v, known := Acceleration(h.kernel.Arch)
	if known {
		h.accel = v.Accel
		return h.boot(ctx, limit)
	}
	h.accel = "kvm"
	m, err := h.boot(ctx, min(limit, kvmLimit))
	if err := v.judge(h.kernel.Arch, err); err != nil {
		if m != nil {
			m.Stop()
		}
		return nil, err
	}
	if err == nil {
		return m, nil
	}
	h.accel = v.Accel
	return h.boot(ctx, limit)
}

// judge keeps what the outcome of a boot under KVM says about KVM; where that is
// nothing, it returns it.
func (v *Verdict) judge(arch string, outcome error) error {
	var failed *BootError
	switch {
	case outcome == nil:
		v.Accel = "kvm"
	case !errors.As(outcome, &failed):
		return outcome // not KVM's fault
	default:
		v.Why = "KVM is here, but a guest does not come up under it: " + failed.Fact
	}
	return v.remember(arch)
}

// TryKVM finds out what Acceleration does not know yet, with a guest that gets
// four seconds to come up.
func TryKVM(ctx context.Context, kernel *Kernel) (Verdict, error) { return tryKVM(ctx, kernel, "") }

// tryKVM does, with init as PID 1 of the guest, this program if "".
func tryKVM(ctx context.Context, kernel *Kernel, init string) (Verdict, error) {
	v, known := Acceleration(kernel.Arch)
	if known {
		return v, nil
	}
	m, err := Boot(ctx, Config{Kernel: KernelSource{File: kernel.Image}, Init: init, Accel: "kvm", BootLimit: kvmLimit})
	if err == nil {
		m.Stop()
	}
	return v, v.judge(kernel.Arch, err)
}
