package guest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"cutaway/sandbox/sys"
)

// The flags of the mounts below: mount(2).
const (
	bind    = syscall.MS_BIND
	move    = syscall.MS_MOVE
	nosuid  = syscall.MS_NOSUID
	noexec  = syscall.MS_NOEXEC
	nodev   = syscall.MS_NODEV
	private = syscall.MS_REC | syscall.MS_PRIVATE
)

// furnish turns the initramfs into a running system's root.
func furnish() error {
	k := &sys.Kernel{Quiet: true}
	if err := changeRoot(k); err != nil {
		return err
	}
	for _, m := range []struct {
		dir, fstype string
		flags       uintptr
		data        string
	}{
		{"/proc", "proc", nosuid | noexec | nodev, ""},
		{"/sys", "sysfs", nosuid | noexec | nodev, ""},
		{"/dev", "devtmpfs", nosuid, "mode=755"},
		{"/dev/pts", "devpts", nosuid | noexec, "gid=5,mode=620,ptmxmode=666"},
		{"/dev/shm", "tmpfs", nosuid | nodev, "mode=1777"},
		{"/run", "tmpfs", nosuid | nodev, "mode=755"},
		{"/sys/fs/cgroup", "cgroup2", nosuid | noexec | nodev, "nsdelegate"},
	} {
		if err := os.MkdirAll(m.dir, 0o755); err != nil {
			return err
		}
		if err := k.Mount(m.fstype, m.dir, m.fstype, m.flags, m.data); err != nil {
			return fmt.Errorf("mount %s at %s: %w", m.fstype, m.dir, err)
		}
	}
	for name, target := range map[string]string{"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"} {
		if err := os.Symlink(target, "/dev/"+name); err != nil {
			return err
		}
	}
	if err := k.Sethostname("microvm"); err != nil {
		return fmt.Errorf("set the hostname: %w", err)
	}
	if err := k.LinkUp("lo"); err != nil {
		return fmt.Errorf("set lo up: %w", err)
	}
	for key, value := range environment {
		if err := os.Setenv(key, value); err != nil {
			return err
		}
	}
	if err := addDisk(k); err != nil {
		return err
	}
	return os.Chdir("/root")
}

// environment is what every command of the guest gets.
var environment = map[string]string{
	"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"HOME": "/root", "USER": "root", "SHELL": "/bin/sh", "TERM": "linux",
}

// loadModules loads what the initramfs lists, in that order.
func loadModules() error {
	names, err := words(ModuleList)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := loadModule(name, ""); err != nil {
			return err
		}
	}
	return nil
}

// loadModule loads one module; what it depends on is there already. One that
// has no file is part of the kernel.
func loadModule(name, parameters string) error {
	files, err := filepath.Glob("/lib/modules/*/" + name + ".ko")
	if err != nil || len(files) == 0 {
		return err
	}
	image, err := os.ReadFile(files[0])
	if err != nil {
		return err
	}
	if err := sys.LoadModule(image, parameters); err != nil {
		return fmt.Errorf("load module %s: %w", name, err)
	}
	return nil
}

// openPort finds the control port by its name and opens it. It appears a moment
// after its driver has been loaded, in devtmpfs.
func openPort(limit time.Duration) (*port, error) {
	for end := time.Now().Add(limit); ; time.Sleep(2 * time.Millisecond) {
		names, err := filepath.Glob("/sys/class/virtio-ports/*/name")
		if err != nil {
			return nil, err
		}
		for _, file := range names {
			if b, err := os.ReadFile(file); err != nil || strings.TrimSpace(string(b)) != Port {
				continue
			}
			f, err := os.OpenFile("/dev/"+filepath.Base(filepath.Dir(file)), os.O_RDWR, 0)
			if err == nil {
				return &port{File: f}, nil
			}
			if !errors.Is(err, os.ErrNotExist) {
				return nil, err
			}
		}
		if time.Now().After(end) {
			return nil, fmt.Errorf("find the port %s: none after %s", Port, limit)
		}
	}
}

// port is the control port. Until the driver has heard that the host holds the
// other end, it reads as if that were closed; the first end of file is believed
// only when it lasts.
type port struct {
	*os.File
	heard bool
}

func (p *port) Read(b []byte) (int, error) {
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		n, err := p.File.Read(b)
		if n > 0 {
			p.heard = true
		}
		if n > 0 || p.heard || err != io.EOF || time.Now().After(end) {
			return n, err
		}
	}
}
