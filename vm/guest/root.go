package guest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"cutaway/sandbox/sys"
)

// changeRoot puts a second mount of the initramfs over the first and makes that
// the root. pivot_root(2) says EINVAL as long as the root is the first mount
// there is, the one without a parent; over it, a bind mount has one. No file is
// copied, which would take an emulated machine half a second. What is moved is
// private, as pivot_root demands of its surroundings.
func changeRoot(k *sys.Kernel) error {
	const at = "/mnt"
	if err := k.Mount("/", at, "", bind, ""); err != nil {
		return fmt.Errorf("bind / at %s: %w", at, err)
	}
	if err := k.Chdir(at); err != nil {
		return fmt.Errorf("enter %s: %w", at, err)
	}
	if err := k.Mount(".", "/", "", move, ""); err != nil {
		return fmt.Errorf("move %s over /: %w", at, err)
	}
	if err := k.Chroot("."); err != nil {
		return fmt.Errorf("chroot to %s: %w", at, err)
	}
	if err := k.Mount("", "/", "", private, ""); err != nil {
		return fmt.Errorf("make / private: %w", err)
	}
	return nil
}

// addDisk puts /var and /tmp onto a file system of their own in memory: the
// initramfs cannot be mounted with its owners translated, as a tmpfs can since
// Linux 6.3 and ext4 since 5.12 (mount_setattr(2)). It is ext4 where a tmpfs has
// no user extended attributes, which it has since 6.6: an overlay inside a user
// namespace keeps its opaque directories in them (overlayfs(5), userxattr).
func addDisk(k *sys.Kernel) error {
	const at = "/mnt"
	source, fstype := "tmpfs", "tmpfs"
	err := syscall.Setxattr("/var", "user.cutaway", []byte("1"), 0)
	if err == syscall.EOPNOTSUPP {
		source, fstype = "/dev/ram0", "ext4"
		err = makeRAMDisk()
	}
	if err != nil {
		return err
	}
	if err := k.Mount(source, at, fstype, 0, ""); err != nil {
		return fmt.Errorf("mount %s at %s: %w", source, at, err)
	}
	for _, dir := range []string{"lib", "log", "tmp"} {
		if err := os.Mkdir(at+"/"+dir, 0o755); err != nil {
			return err
		}
	}
	if err := errors.Join(os.Chmod(at+"/tmp", fs.ModeSticky|0o777), os.Symlink("../run", at+"/run")); err != nil {
		return err
	}
	if err := k.Mount(at, "/var", "", move, ""); err != nil {
		return fmt.Errorf("move %s over /var: %w", at, err)
	}
	if err := k.Mount("/var/tmp", "/tmp", "", bind, ""); err != nil {
		return fmt.Errorf("bind /var/tmp at /tmp: %w", err)
	}
	return nil
}

// makeRAMDisk makes /dev/ram0, of half the memory, with ext4 on it.
func makeRAMDisk() error {
	var memory syscall.Sysinfo_t
	if err := syscall.Sysinfo(&memory); err != nil {
		return fmt.Errorf("read the size of memory: %w", err)
	}
	kib := memory.Totalram * uint64(memory.Unit) / 1024 / 2
	if err := loadModule("brd", fmt.Sprintf("rd_nr=1 rd_size=%d", kib)); err != nil {
		return err
	}
	if out, err := exec.Command("mke2fs", "-F", "-i", "16384", "-m", "0", "/dev/ram0").CombinedOutput(); err != nil {
		return fmt.Errorf("mke2fs /dev/ram0: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}
