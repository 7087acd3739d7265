package stages

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"cutaway/sandbox/inspect"
)

// What stages read from the directories of an overlay, seen from the host.

// is checks that a text is exactly this.
func is(want string) func(string) bool { return func(text string) bool { return text == want } }

// kindOf says what is at path in the words of stat(1), a device with its numbers.
func kindOf(path string) func() (string, error) {
	return func() (string, error) {
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return "no such file", nil
		}
		if err != nil {
			return "", err
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		switch mode := info.Mode(); {
		case mode.IsRegular():
			return "regular file", nil
		case mode.IsDir():
			return "directory", nil
		case mode&fs.ModeCharDevice != 0 && ok:
			return fmt.Sprintf("character special file %x:%x", st.Rdev>>8&0xfff, st.Rdev&0xff), nil
		}
		return info.Mode().Type().String(), nil
	}
}

// list names what is in a directory.
func list(dir string) func() (string, error) {
	return func() (string, error) {
		entries, err := os.ReadDir(dir)
		if len(entries) == 0 {
			return "(empty)", err
		}
		names := make([]string, len(entries))
		for i, e := range entries {
			names[i] = e.Name()
		}
		return strings.Join(names, "  "), err
	}
}

// opaqueMark reads the extended attribute with which overlayfs marks a directory
// that hides those below, as getfattr(1) writes it: trusted.overlay.opaque, or
// user.overlay.opaque where it was mounted inside a user namespace.
func opaqueMark(dir string) func() (string, error) {
	return func() (string, error) {
		var value [16]byte
		for _, name := range []string{"user.overlay.opaque", "trusted.overlay.opaque"} {
			if n, err := syscall.Getxattr(dir, name, value[:]); err == nil {
				return fmt.Sprintf("%s=%q", name, value[:n]), nil
			}
		}
		return "(none)", nil
	}
}

// size adds up the files below a directory, in bytes; a file with several names
// counts once.
func size(dir string) func() (string, error) {
	return func() (string, error) {
		total, seen := int64(0), map[uint64]bool{}
		err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			if st, ok := info.Sys().(*syscall.Stat_t); ok && !seen[st.Ino] {
				seen[st.Ino] = true
				total += info.Size()
			}
			return nil
		})
		return strconv.FormatInt(total, 10), err
	}
}

// octets reads a text that is a number of bytes into n and says whether it is one.
func octets(n *int64) func(string) bool {
	return func(text string) bool {
		v, err := strconv.ParseInt(text, 10, 64)
		*n = v
		return err == nil
	}
}

// lowerOf gives the topmost lower layer of the overlay that is a process's root.
func lowerOf(pid int) (string, error) {
	s, err := inspect.OfProcess(pid)
	if err != nil {
		return "", err
	}
	for _, o := range s.Of(inspect.Overlay) {
		if o.Detail.Get("target") == "/" {
			return "lowerdir=" + o.Detail.Get("lower 1"), nil
		}
	}
	return "", fmt.Errorf("process %d: its root is no overlay", pid)
}
