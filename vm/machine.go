package vm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cutaway/vm/wire"
)

// defaultMemory is enough for the lab and a few images, in MiB.
const defaultMemory = 512

// littleMemory is where kernels begin to fail for want of it, in MiB.
const littleMemory = 256

// Config says what machine to make. Its zero value is a good one.
type Config struct {
	Kernel KernelSource
	Init   string // the program to be PID 1: static, and calling guest.Main; "" is this one
	Image  string // a file with Init's built-in image; "" is this program's own, for its own architecture
	Memory int    // MiB; 0 is 512
	CPUs   int    // 0 is 1
	Accel  string // kvm or tcg; "" is what works
	Append string // added to the kernel's command line
	// Files are there from the start: by their path in the guest, files here.
	// Link.Put copies into a guest that runs, which takes longer.
	Files map[string]string
	// Tools has some programs of this machine go along, for people: see guestTools.
	Tools bool
	// Disk, when set, is the content of a disk, /dev/vda; the file may have lost its
	// name.
	Disk *os.File
	// Network gives the guest a link, which nobody has configured: a tap device of
	// the caller's by its descriptor, or QEMU's own user-mode network. Neither is
	// there unless asked for, nor are the drivers loaded.
	Network Network
	// BootLimit is how long the guest may take to say that it is ready, and
	// Silence how long it may say nothing at all later on; 0 is a minute.
	BootLimit, Silence time.Duration
	// Booting, when set, is called when QEMU has been started, and Ready when the
	// guest can run commands.
	Booting func(k *Kernel, accel string)
	Ready   func(*Machine)
}

// Network says what is at the other end of a guest's link.
type Network struct {
	Tap  *os.File // a tap device of the host: tun(4) has its own document, Documentation/networking/tuntap.rst
	User bool     // a network that QEMU plays, 10.0.2.0/24, where 10.0.2.2 is the host
}

// Machine is a running microVM.
type Machine struct {
	Kernel   *Kernel
	Accel    string // kvm or tcg
	Greeting wire.Greeting
	// Boot is how long it took from the start of QEMU until the guest was ready.
	Boot time.Duration
	conn *wire.Conn
	link *Link // made when the first command is run
	qemu *qemu
	log  *consoleLog
	hung atomic.Pointer[string] // why it was killed
}

// BootError says that a machine did not come up, or was lost; Console is the
// end of what it printed.
type BootError struct {
	Fact    string
	Console []string
	Advice  string // what may help; "" if nothing comes to mind
	err     error
}

func (e *BootError) Error() string {
	if len(e.Console) == 0 {
		return e.Fact + "; its console is empty"
	}
	return e.Fact + "; its console says:\n  " + strings.Join(e.Console, "\n  ")
}

func (e *BootError) Unwrap() error { return e.err }

// Hint is the advice.
func (e *BootError) Hint() string { return e.Advice }

// Boot starts a machine and waits until it can run commands. It lives until
// Stop, or until this process ends.
func Boot(ctx context.Context, c Config) (*Machine, error) {
	k, err := FindKernel(ctx, c.Kernel)
	if err != nil {
		return nil, err
	}
	if c.Init == "" {
		c.Init = "/proc/self/exe"
	}
	files := c.Files
	if c.Tools {
		if files, err = tools(); err != nil {
			return nil, err
		}
		maps.Copy(files, c.Files)
	}
	ramdisk, err := initramfs(k, c.Init, c.Image, files)
	if err != nil {
		return nil, err
	}
	defer ramdisk.Close()
	image, err := bootable(k)
	if err != nil {
		return nil, err
	}
	h := hardware{kernel: k, image: image, initramfs: ramdisk, memory: memoryOf(c), cpus: cmp.Or(c.CPUs, 1), accel: c.Accel, append: c.Append, disk: c.Disk, network: c.Network, started: c.Booting}
	limit, boot := cmp.Or(c.BootLimit, time.Minute), h.boot
	if c.Accel == "" {
		boot = h.bootBest
	}
	m, err := boot(ctx, limit)
	if failed := (*BootError)(nil); errors.As(err, &failed) && h.memory < littleMemory {
		failed.Advice = fmt.Sprintf("%d MiB may be too little for the kernel: it has %d if nothing is said", h.memory, defaultMemory)
	}
	if err != nil {
		return nil, err
	}
	go m.watch(cmp.Or(c.Silence, time.Minute))
	if c.Ready != nil {
		c.Ready(m)
	}
	return m, nil
}

// boot starts QEMU and waits for the guest's greeting.
func (h hardware) boot(ctx context.Context, limit time.Duration) (*Machine, error) {
	begin := time.Now()
	q, err := h.start()
	var missing *NoQEMUError
	if errors.As(err, &missing) {
		// Without an answer the hint is less precise, that is all.
		missing.Install, _ = InstallCommand(ctx, "vm")
	}
	if err != nil {
		return nil, err
	}
	if h.started != nil {
		h.started(h.kernel, h.accel)
	}
	m := &Machine{Kernel: h.kernel, Accel: h.accel, conn: wire.NewConn(q.control), qemu: q, log: newConsoleLog(q.console)}
	if err := m.await(ctx, limit); err != nil {
		m.Stop()
		return nil, err
	}
	m.Boot = time.Since(begin)
	return m, nil
}

// await waits for the guest's greeting.
func (m *Machine) await(ctx context.Context, limit time.Duration) error {
	greeted := make(chan error, 1)
	go func() {
		f, err := m.conn.Receive()
		if err == nil && f.Kind != wire.Hello {
			err = fmt.Errorf("frame %d in place of a greeting", f.Kind)
		}
		if err == nil {
			err = f.Decode(&m.Greeting)
		}
		greeted <- err
	}()
	doing := "boot Linux " + m.Kernel.Version
	select {
	case err := <-greeted:
		if err != nil {
			return m.lost(doing)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", doing, context.Cause(ctx))
	case <-time.After(limit):
		console, _ := m.log.excerpt()
		return &BootError{Fact: fmt.Sprintf("%s: not ready after %s", doing, limit), Console: console}
	}
}

// watch kills a machine that hangs: one that answers nothing for so long. Turns
// are counted, not time, because all of us may have been stopped meanwhile.
func (m *Machine) watch(silence time.Duration) {
	const turns = 12
	tick := time.NewTicker(silence / turns)
	defer tick.Stop()
	for silent, got := 0, m.conn.Received(); silent < turns; silent++ {
		// It may wait for a guest that takes nothing any more, or has gone.
		go func() { _ = m.conn.Send(wire.Frame{Kind: wire.Ping}) }()
		select {
		case <-m.qemu.ended:
			return
		case <-tick.C:
		}
		if now := m.conn.Received(); now != got {
			silent, got = -1, now
		}
	}
	why := fmt.Sprintf("the guest hangs: it has not answered for %s", silence)
	m.hung.Store(&why)
	_ = m.qemu.process.Kill() // it may just have ended
}

// lost describes a machine that has ended by itself.
func (m *Machine) lost(doing string) *BootError {
	fact := "the guest closed its control port"
	select {
	case <-m.qemu.ended:
		fact = "the machine switched itself off"
		if s := m.qemu.state; !s.Success() {
			fact = "QEMU ended: " + s.String()
		}
		if why := m.hung.Load(); why != nil {
			fact = *why
		}
	case <-time.After(2 * time.Second):
	}
	m.log.settle()
	console, panicked := m.log.excerpt()
	if panicked {
		fact = "the kernel panicked"
	}
	return &BootError{Fact: doing + ": " + fact, Console: console, err: ErrLost}
}

// Link gives the connection to the guest.
func (m *Machine) Link() *Link {
	if m.link == nil {
		m.link = newLink(m.conn, m.Greeting)
		m.link.lost = func() error { return m.lost("use the microVM") }
	}
	return m.link
}

// Run runs a command in the guest; see Link.Run.
func (m *Machine) Run(ctx context.Context, c Command) (int, error) { return m.Link().Run(ctx, c) }

// PID is QEMU's.
func (m *Machine) PID() int { return m.qemu.process.Pid }

// Resident is how much memory of the host the machine takes, in bytes:
// proc_pid_status(5), VmRSS. Most of it is the guest's.
func (m *Machine) Resident() (int64, error) {
	file := fmt.Sprintf("/proc/%d/status", m.qemu.process.Pid)
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, fmt.Errorf("read the size of QEMU: %w", err)
	}
	_, after, _ := strings.Cut(string(b), "VmRSS:")
	var kib int64
	if _, err := fmt.Sscan(after, &kib); err != nil {
		return 0, fmt.Errorf("read the size of QEMU in %s: %w", file, err)
	}
	return kib << 10, nil
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

// excerptLines is how much of a console people are shown.
const excerptLines = 20

// excerpt gives the lines that matter most: from a panic on, whose call trace
// would hide it, else the last ones.
func (l *consoleLog) excerpt() (lines []string, panicked bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(string(l.text)) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	at := slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, "Kernel panic") })
	if at < 0 {
		return lines[max(0, len(lines)-excerptLines):], false
	}
	return lines[at:min(len(lines), at+excerptLines)], true
}
