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
	if err := moveRoot(k); err != nil {
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
	return os.Chdir("/root")
}

// environment is what every command of the guest gets.
var environment = map[string]string{
	"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"HOME": "/root", "USER": "root", "SHELL": "/bin/sh", "TERM": "linux",
}

// moveRoot puts a second mount of the initramfs over the first and makes that
// the root. pivot_root(2) says EINVAL as long as the root is the first mount
// there is, the one without a parent; over it, a bind mount has one. No file is
// copied. What is moved is private, as pivot_root demands of its surroundings.
func moveRoot(k *sys.Kernel) error {
	if err := k.Mount("/", "/mnt", "", bind, ""); err != nil {
		return fmt.Errorf("bind / at /mnt: %w", err)
	}
	if err := k.Chdir("/mnt"); err != nil {
		return fmt.Errorf("enter /mnt: %w", err)
	}
	if err := k.Mount(".", "/", "", move, ""); err != nil {
		return fmt.Errorf("move /mnt over /: %w", err)
	}
	if err := k.Chroot("."); err != nil {
		return fmt.Errorf("chroot to the moved root: %w", err)
	}
	if err := k.Mount("", "/", "", private, ""); err != nil {
		return fmt.Errorf("make / private: %w", err)
	}
	return nil
}

// loadModules loads what the initramfs lists, in that order.
func loadModules() error {
	files, err := words(ModuleList)
	if err != nil {
		return err
	}
	for _, file := range files {
		image, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := sys.LoadModule(image, ""); err != nil {
			return fmt.Errorf("load module %s: %w", file, err)
		}
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
