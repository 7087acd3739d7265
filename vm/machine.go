package vm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// Config says what machine to make. Its zero value is a good one.
type Config struct {
	Kernel KernelSource
	Init   string // the program to be PID 1: static, and calling guest.Main; "" is this one
	Memory int    // MiB; 0 is 512
	CPUs   int    // 0 is 1
	Accel  string // kvm or tcg; "" is what works
	Append string // added to the kernel's command line
	// Files are there from the start: by their path in the guest, files here. Put
	// copies into a guest that runs, which takes longer.
	Files map[string]string
	// BootLimit is how long the guest may take to say that it is ready; 0 is a
	// minute.
	BootLimit time.Duration
}

// Machine is a running microVM.
type Machine struct {
	*Link
	Kernel *Kernel
	Accel  string
	qemu   *qemu
	log    *consoleLog
}

// BootError says that a machine did not come up, or was lost; Console is the end of
// what it printed.
type BootError struct {
	Fact    string
	Console []string
	err     error
}

func (e *BootError) Error() string {
	if len(e.Console) == 0 {
		return e.Fact + "; its console is empty"
	}
	return e.Fact + "; its console ends:\n  " + strings.Join(e.Console, "\n  ")
}

func (e *BootError) Unwrap() error { return e.err }

// Boot starts a machine and waits until it can run commands. It lives until
// Stop, or until this process ends.
func Boot(ctx context.Context, c Config) (*Machine, error) {
	k, err := FindKernel(ctx, c.Kernel)
	if err != nil {
		return nil, err
	}
	if c.Init == "" {
		if c.Init, err = os.Executable(); err != nil {
			return nil, err
		}
	}
	ramdisk, err := initramfs(k, c.Init)
	if err != nil {
		return nil, err
	}
	if len(c.Files) > 0 {
		if ramdisk, err = withFiles(ramdisk, c.Files); err != nil {
			return nil, err
		}
		defer os.Remove(ramdisk) // read by the time the guest is ready
	}
	h := hardware{kernel: k, initramfs: ramdisk, memory: cmp.Or(c.Memory, 512), cpus: cmp.Or(c.CPUs, 1), accel: c.Accel, append: c.Append}
	if h.accel == "" {
		h.accel = acceleration(ctx, k.Arch)
	}
	q, err := h.start()
	var missing *NoQEMUError
	if errors.As(err, &missing) {
		// Without an answer the hint is less precise, that is all.
		missing.Install, _ = InstallCommand(ctx, "vm")
	}
	if err != nil {
		return nil, err
	}
	m := &Machine{Link: newLink(q.control), Kernel: k, Accel: h.accel, qemu: q, log: newConsoleLog(q.console)}
	if err := m.await(ctx, cmp.Or(c.BootLimit, time.Minute)); err != nil {
		m.Stop()
		return nil, err
	}
	return m, nil
}

// await waits for the guest's greeting.
func (m *Machine) await(ctx context.Context, limit time.Duration) error {
	select {
	case <-m.ready:
		return nil
	case <-m.gone:
		return m.lost("boot Linux " + m.Kernel.Version)
	case <-ctx.Done():
		return fmt.Errorf("boot Linux %s: %w", m.Kernel.Version, context.Cause(ctx))
	case <-time.After(limit):
		return &BootError{Fact: fmt.Sprintf("boot Linux %s: not ready after %s", m.Kernel.Version, limit), Console: m.log.last(20)}
	}
}

// lost describes a machine that has ended by itself.
func (m *Machine) lost(doing string) error {
	select {
	case <-m.qemu.ended:
	case <-time.After(2 * time.Second):
	}
	m.log.settle()
	fact := "the machine switched itself off"
	select {
	case <-m.qemu.ended:
		if s := m.qemu.state; !s.Success() {
			fact = "QEMU ended: " + s.String()
		}
	default:
		fact = "the guest closed its control port"
	}
	return &BootError{Fact: doing + ": " + fact, Console: m.log.last(20), err: ErrLost}
}

// Run runs a command in the guest; see Link.Run. If the machine is lost on the
// way, the error has the end of its console.
func (m *Machine) Run(ctx context.Context, c Command) (int, error) {
	status, err := m.Link.Run(ctx, c)
	if errors.Is(err, ErrLost) {
		return status, m.lost("run " + c.Args[0])
	}
	return status, err
}

// Stop switches the machine off.
func (m *Machine) Stop() { m.qemu.stop() }

// consoleLog keeps the end of what a machine prints on its console.
type consoleLog struct {
	mu   sync.Mutex
	text []byte
	done chan struct{}
}

// consoleKept is how much is kept, in bytes.
const consoleKept = 64 << 10

func newConsoleLog(r io.Reader) *consoleLog {
	l := &consoleLog{done: make(chan struct{})}
	go func() {
		defer close(l.done)
		buf := make([]byte, 4096)
		for {
			n, err := r.Read(buf)
			l.mu.Lock()
			l.text = append(l.text, buf[:n]...)
			if over := len(l.text) - consoleKept; over > 0 {
				l.text = append([]byte{}, l.text[over:]...)
			}
			l.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return l
}

// settle waits for what is on its way.
func (l *consoleLog) settle() {
	select {
	case <-l.done:
	case <-time.After(time.Second):
	}
}

// last gives the last n lines.
func (l *consoleLog) last(n int) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var lines []string
	for line := range strings.Lines(string(l.text)) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines[max(0, len(lines)-n):]
}

// acceleration says how a machine is run here.
func acceleration(ctx context.Context, arch string) string {
	_, err := exec.LookPath("kvm-ok")
	_ = err
	return "tcg"
}
