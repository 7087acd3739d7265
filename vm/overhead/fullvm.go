package overhead

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"cutaway/vm"
)

// boxName is what vm/box.sh calls what it makes, and where it puts it: beside this
// program.
const boxName = "debian-13.box"

// fullMemory is what a whole machine is given, in MiB.
const fullMemory = 512

// bootPatience is how long a whole machine may take until somebody can log in.
const bootPatience = 5 * time.Minute

// fullVM is a whole machine: Debian's cloud kernel, its own boot loader, init and
// services, on the disk of a box that vm/box.sh has made. Its program is run over
// ssh, so it has started when somebody can log in.
func (b *bench) fullVM(ctx context.Context) (Contender, error) {
	box := b.options.FullVM
	if box == "" {
		box = filepath.Join(filepath.Dir(b.program), boxName)
	}
	if _, err := os.Stat(box); err != nil && b.options.FullVM == "" {
		return Contender{}, fmt.Errorf("none was set up: sudo vm/box.sh makes one in ten minutes, %s", boxName)
	}
	if b.options.Quick {
		return Contender{}, errors.New("not in a quick run: emulated it takes the better part of a minute to boot")
	}
	if runtime.GOARCH != "amd64" {
		return Contender{}, errors.New("the box is for amd64")
	}
	qemu, err := vm.Emulator()
	if err != nil {
		return Contender{}, err
	}
	ssh, err := installed("ssh")
	if err != nil {
		return Contender{}, fmt.Errorf("ssh: %w", err)
	}
	f := &fullMachine{qemu: qemu, ssh: ssh, dir: filepath.Join(b.place.Dir, "box"), probe: filepath.Join(b.tree, probe)}
	f.accel, _ = acceleration()
	if err := os.Mkdir(f.dir, 0o700); err != nil {
		return Contender{}, err
	}
	if err := quiet(ctx, "tar", "-x", "-f", box, "-C", f.dir, "box.img", "key"); err != nil {
		return Contender{}, err
	}
	return Contender{Kind: Machine, memory: fullMemory, slow: true, version: filepath.Base(box), start: f.start, open: f.open,
		About: fmt.Sprintf("QEMU q35, Debian with its own init, %d MiB, %s; over ssh", fullMemory, Accelerated(f.accel))}, nil
}

// fullMachine boots whole machines from one disk, each with changes of its own
// that are gone with it.
type fullMachine struct {
	qemu, ssh, accel string
	dir, probe       string
}

// boot starts QEMU; the guest's ssh is at a port of loopback.
func (f *fullMachine) boot(ctx context.Context) (*instance, string, error) {
	port, err := freePort()
	if err != nil {
		return nil, "", err
	}
	cmd := exec.Command(f.qemu, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-M", "q35", "-accel", f.accel, "-cpu", "max", "-m", fmt.Sprint(fullMemory),
		"-drive", "if=virtio,format=qcow2,snapshot=on,file="+filepath.Join(f.dir, "box.img"),
		"-netdev", "user,id=net,hostfwd=tcp:127.0.0.1:"+port+"-:22", "-device", "virtio-net-pci,netdev=net", "-device", "virtio-rng-pci")
	cmd.Env = append(os.Environ(), "TMPDIR="+f.dir) // for the changes
	machine, err := spawn(ctx, cmd, true)
	return machine, port, err
}

// start boots a machine for one program.
func (f *fullMachine) start(ctx context.Context, args ...string) (*instance, error) {
	machine, port, err := f.boot(ctx)
	if err != nil {
		return nil, err
	}
	i, err := f.login(ctx, machine, port, args)
	if err != nil {
		machine.kill()
		_ = machine.wait() // killed, it says so
		return nil, err
	}
	wait := i.wait
	i.begun, i.pids = machine.begun, machine.pids
	i.wait = func() error {
		err := wait()
		machine.kill()
		_ = machine.wait()
		return err
	}
	return i, nil
}

// login runs a program as soon as the machine lets somebody in. Until its sshd is
// there, ssh(1) ends with status 255 and nothing on standard output.
func (f *fullMachine) login(ctx context.Context, machine *instance, port string, args []string) (*instance, error) {
	for deadline := time.Now().Add(bootPatience); ; time.Sleep(200 * time.Millisecond) {
		i, err := spawn(ctx, f.command(port, args), true)
		if err != nil {
			return nil, err
		}
		_, err = i.out.Peek(1)
		if err == nil {
			return i, nil
		}
		i.stdin.Close()
		err = i.failed(i.wait())
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case gone(machine):
			return nil, machine.failed(errors.New("QEMU has ended"))
		case time.Now().After(deadline):
			return nil, fmt.Errorf("log in to the full VM for %s: %w", bootPatience, err)
		}
	}
}

// gone reports whether a machine has ended by itself.
func gone(machine *instance) bool {
	return syscall.Kill(machine.pids()[0], 0) != nil
}

// command is a command line in the guest, in words that a shell takes apart again.
func (f *fullMachine) command(port string, args []string) *exec.Cmd {
	quoted := make([]string, len(args))
	for n, a := range args {
		quoted[n] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
	}
	return exec.Command(f.ssh, "-q", "-F", "none", "-i", filepath.Join(f.dir, "key"), "-p", port, "-o", "BatchMode=yes", "-o", "ConnectTimeout=5",
		"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "vagrant@127.0.0.1", strings.Join(quoted, " "))
}

// open boots a machine for many programs, and brings it the probe.
func (f *fullMachine) open(ctx context.Context) (*room, error) {
	machine, port, err := f.boot(ctx)
	if err != nil {
		return nil, err
	}
	r := &room{close: func() { machine.kill(); _ = machine.wait() }} // killed, it says so
	prepare, err := f.login(ctx, machine, port, []string{"sh", "-c",
		"echo here; sudo sh -c 'cat >" + probe + "; chmod 755 " + probe + "; mkdir -p " + guestMount + "; chmod 777 " + guestMount + "'"})
	if err == nil {
		err = f.send(prepare)
	}
	if err != nil {
		r.close()
		return nil, err
	}
	r.run = func(ctx context.Context, args ...string) (string, error) {
		i, err := spawn(ctx, f.command(port, args), true)
		if err != nil {
			return "", err
		}
		return i.output()
	}
	return r, nil
}

// send writes the probe to a program's input.
func (f *fullMachine) send(to *instance) error {
	file, err := os.Open(f.probe)
	if err != nil {
		return err
	}
	defer file.Close()
	w := bufio.NewWriter(to.stdin)
	_, err = w.ReadFrom(file)
	return errors.Join(err, w.Flush(), to.end())
}
