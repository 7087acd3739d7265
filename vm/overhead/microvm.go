package overhead

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"cutaway/vm"
)

// guestMemory is what a microVM is given, in MiB; the least that this kernel and
// initramfs boot in is a little below a hundred.
const guestMemory = 256

// microVM is this lab's machine: QEMU's microvm with a distribution's kernel, the
// files in an initramfs.
func (b *bench) microVM(ctx context.Context) (Contender, error) {
	emulator, err := vm.Emulator()
	if err != nil {
		return Contender{}, err
	}
	kernel, err := vm.FindKernel(ctx, vm.KernelSource{Progress: b.options.Fetching})
	if err != nil {
		return Contender{}, err
	}
	verdict, err := vm.TryKVM(ctx, kernel)
	if err != nil {
		return Contender{}, err
	}
	config := vm.Config{Init: b.options.Init, Memory: guestMemory, Accel: verdict.Accel, Kernel: vm.KernelSource{File: kernel.Image}}
	return Contender{Kind: Machine, memory: guestMemory, version: firstLine(ctx, emulator, "--version"),
		About: fmt.Sprintf("QEMU microvm, Linux %s, %d MiB, %s", kernel.Version, guestMemory, Accelerated(verdict.Accel)),
		start: func(ctx context.Context, args ...string) (*instance, error) { return boot(ctx, config, args) },
		open:  func(ctx context.Context) (*room, error) { return b.guestRoom(ctx, config) },
	}, nil
}

// Accelerated says by what a machine's instructions are executed.
func Accelerated(accel string) string {
	if accel == "kvm" {
		return "under KVM"
	}
	return "emulated in software"
}

// acceleration is what is known of this machine.
func acceleration() (accel, why string) {
	v, _ := vm.Acceleration(runtime.GOARCH)
	return v.Accel, v.Why
}

// boot starts a machine for one program.
func boot(ctx context.Context, c vm.Config, args []string) (*instance, error) {
	i := &instance{begun: time.Now(), said: &bytes.Buffer{}}
	m, err := vm.Boot(ctx, c)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	stdin, input := io.Pipe()
	output, stdout := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		status, err := m.Run(ctx, vm.Command{Args: args, Stdin: stdin, Stdout: stdout, Stderr: i.said})
		if err == nil && status != 0 {
			err = fmt.Errorf("%s ended with status %d", args[0], status)
		}
		stdout.CloseWithError(io.EOF)
		stdin.Close()
		ended <- err
	}()
	i.stdin, i.out = input, bufio.NewReader(output)
	i.kill = m.Stop
	i.pids = func() []int { return []int{m.PID()} }
	i.wait = func() error {
		defer cancel()
		defer m.Stop()
		return <-ended
	}
	return i, nil
}

// guestRoom boots a machine with a disk and a network, for many programs.
func (b *bench) guestRoom(ctx context.Context, c vm.Config) (_ *room, err error) {
	if c.Disk, err = b.guestDisk(ctx); err != nil {
		return nil, err
	}
	network, release, err := b.guestNetwork()
	if err != nil {
		return nil, errors.Join(err, c.Disk.Close())
	}
	c.Network = network.Network
	m, err := vm.Boot(ctx, c)
	err = errors.Join(err, c.Disk.Close()) // QEMU has it open
	if err != nil {
		release()
		return nil, err
	}
	r := &room{close: func() { m.Stop(); release() }}
	r.run = func(ctx context.Context, args ...string) (string, error) { return runInGuest(ctx, m.Link(), args...) }
	if _, err := r.run(ctx, "sh", "-ec", "modprobe virtio_blk; modprobe virtio_net; mkdir -p "+guestMount+"; mount -t ext4 /dev/vda "+guestMount+"; "+network.commands); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// runInGuest runs a program in a machine that is up.
func runInGuest(ctx context.Context, l *vm.Link, args ...string) (string, error) {
	var out, said bytes.Buffer
	status, err := l.Run(ctx, vm.Command{Args: args, Stdout: &out, Stderr: &said})
	if err == nil && status != 0 {
		err = fmt.Errorf("%s ended with status %d: %s", args[0], status, bytes.TrimSpace(said.Bytes()))
	}
	return out.String(), err
}

// guestMount is where a guest has its disk.
const guestMount = "/mnt/disk"

// diskSize is that of a guest's disk, in bytes; it takes as much as is written.
const diskSize = 256 << 20

// guestDisk makes a disk with a file system, in a file that has lost its name.
func (b *bench) guestDisk(ctx context.Context) (*os.File, error) {
	mkfs, err := installed("mkfs.ext4")
	if err != nil {
		return nil, fmt.Errorf("make a disk for the guest: mkfs.ext4 (e2fsprogs) is %w", err)
	}
	f, err := os.CreateTemp(b.place.Dir, "disk-")
	if err != nil {
		return nil, err
	}
	err = f.Truncate(diskSize)
	if err == nil {
		err = quiet(ctx, mkfs, "-q", "-F", f.Name())
	}
	if err = errors.Join(err, os.Remove(f.Name())); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
