package vm

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"cutaway/vm/guest"
)

// emulator is what differs between architectures.
type emulator struct {
	program  string
	machine  string // -M
	cpu      string // -cpu
	emulated string // what follows cpu where the processor is emulated
	console  string // the kernel's name of the serial port
	cmdline  string // what this architecture's kernel has to be told
}

var emulators = map[string]emulator{
	// acpi=on, because without it the guest finds no virtio-mmio device. erms and
	// fsrm promise that copying byte by byte is fast, which emulated it is not.
	"amd64": {program: "qemu-system-x86_64", machine: "microvm,acpi=on,isa-serial=on", cpu: "max,-erms,-fsrm",
		console: "ttyS0", cmdline: "no_timer_check"},
	// The architecture's own way to sign pointers takes an emulator long; QEMU has
	// a quicker one (its documentation, Arm CPU Features, pauth-impdef).
	"arm64": {program: "qemu-system-aarch64", machine: "virt,gic-version=max", cpu: "max", emulated: ",pauth-impdef=on",
		console: "ttyAMA0"},
}

// processor is the value of -cpu under an accelerator.
func (e emulator) processor(accel string) string {
	if accel == "tcg" {
		return e.cpu + e.emulated
	}
	return e.cpu
}

// NoQEMUError says that the emulator is not installed.
type NoQEMUError struct {
	Program string
	Install string // the command that installs it, "" if unknown
}

func (e *NoQEMUError) Error() string { return "start the microVM: no " + e.Program + " on PATH" }

// Hint says how to install it.
func (e *NoQEMUError) Hint() string {
	if e.Install == "" {
		return "install QEMU for this machine's architecture"
	}
	return e.Install
}

// path is where the program is; the error is a *NoQEMUError.
func (e emulator) path() (string, error) {
	path, err := exec.LookPath(e.program)
	if err != nil {
		return "", &NoQEMUError{Program: e.program}
	}
	return path, nil
}

// Emulator is the program that runs guests of the host's architecture; the error
// is a *NoQEMUError.
func Emulator() (string, error) { return emulators[runtime.GOARCH].path() }

// qemu is a running emulator. Each end of it that we hold is a socket: when
// this process dies, they close, the guest powers off, and QEMU is killed.
type qemu struct {
	process *os.Process
	control *os.File
	console *os.File
	ended   chan struct{} // closed when the process has ended
	state   *os.ProcessState
}

// hardware is the machine to start.
type hardware struct {
	kernel    *Kernel
	image     string // file to boot, of that kernel
	initramfs *os.File
	memory    int // MiB
	cpus      int
	accel     string // kvm or tcg
	append    string // added to the kernel's command line
	disk      *os.File
	network   Network
	started   func(k *Kernel, accel string)
}

// arguments are QEMU's, with the sockets as descriptors 3 and 4, and the
// initramfs as 5.
func (h hardware) arguments(e emulator) []string {
	cmdline := []string{
		"console=" + e.console, "quiet", "panic=-1", "oops=panic", "random.trust_cpu=on",
		"mitigations=off", e.cmdline, clockHint(h.kernel.Arch, h.accel), guest.Marker + "=1", h.append,
	}
	return slices.Concat([]string{
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-M", e.machine, "-accel", h.accel, "-cpu", e.processor(h.accel),
		"-m", strconv.Itoa(h.memory), "-smp", strconv.Itoa(h.cpus),
		"-kernel", h.image, "-initrd", "/proc/self/fd/5", "-append", strings.Join(slices.DeleteFunc(cmdline, func(s string) bool { return s == "" }), " "),
		"-chardev", "socket,id=console,fd=4", "-serial", "chardev:console",
		"-global", "virtio-mmio.force-legacy=false",
		"-device", "virtio-serial-device,max_ports=2",
		"-chardev", "socket,id=control,fd=3", "-device", "virtserialport,chardev=control,name=" + guest.Port,
	}, h.devices())
}

// devices are those that only some machines have, with the disk as descriptor 6
// and the tap device as 7.
func (h hardware) devices() (args []string) {
	if h.disk != nil {
		args = append(args, "-drive", "if=none,id=disk,format=raw,file.locking=off,file=/proc/self/fd/6", "-device", "virtio-blk-device,drive=disk")
	}
	switch {
	case h.network.Tap != nil:
		args = append(args, "-netdev", "tap,id=net,fd=7")
	case h.network.User:
		args = append(args, "-netdev", "user,id=net")
	default:
		return args
	}
	return append(args, "-device", "virtio-net-device,netdev=net")
}

// start starts QEMU.
func (h hardware) start() (*qemu, error) {
	e, known := emulators[h.kernel.Arch]
	if !known {
		return nil, fmt.Errorf("start the microVM: no machine for architecture %s", h.kernel.Arch)
	}
	path, err := e.path()
	if err != nil {
		return nil, err
	}
	control, theirs, err := socketPair("control")
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	console, theirConsole, err := socketPair("console")
	if err != nil {
		control.Close()
		return nil, err
	}
	defer theirConsole.Close()
	q := &qemu{control: control, console: console, ended: make(chan struct{})}
	cmd := exec.Command(path, h.arguments(e)...)
	cmd.ExtraFiles = []*os.File{theirs, theirConsole, h.initramfs, h.disk, h.network.Tap} // nil is no descriptor
	cmd.Stdout, cmd.Stderr = theirConsole, theirConsole                                   // its complaints belong beside the guest's
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := q.run(cmd); err != nil {
		control.Close()
		console.Close()
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return q, nil
}

// run starts the command and waits for it on a thread that does nothing else:
// the parent-death signal is sent when the thread ends that has forked.
func (q *qemu) run(cmd *exec.Cmd) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		q.process = cmd.Process
		started <- err
		if err != nil {
			return
		}
		_ = cmd.Wait() // how it ended is in its state
		q.state = cmd.ProcessState
		close(q.ended)
	}()
	return <-started
}

// stop kills the emulator. Nothing of the machine is worth an orderly end.
func (q *qemu) stop() {
	if err := q.process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return // it is not ours any more
	}
	<-q.ended
	q.control.Close()
	q.console.Close()
}

// socketPair makes two connected sockets, of which the first is ours.
func socketPair(name string) (ours, theirs *os.File, err error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make the %s socket: %w", name, err)
	}
	if err := syscall.SetNonblock(fds[0], true); err != nil {
		return nil, nil, fmt.Errorf("make the %s socket: %w", name, err)
	}
	return os.NewFile(uintptr(fds[0]), name), os.NewFile(uintptr(fds[1]), name), nil
}
