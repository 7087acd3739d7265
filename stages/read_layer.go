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

// overlayMark reads one of the extended attributes that overlayfs keeps for
// itself, as getfattr(1) writes it: trusted.overlay.opaque, or
// user.overlay.opaque where it was mounted inside a user namespace.
func overlayMark(path, mark string) func() (string, error) {
	return func() (string, error) {
		var value [256]byte
		for _, name := range []string{"user.overlay." + mark, "trusted.overlay." + mark} {
			if n, err := syscall.Getxattr(path, name, value[:]); err == nil {
				return fmt.Sprintf("%s=%q", name, value[:n]), nil
			}
		}
		return "(none)", nil
	}
}

// size tells how much room the files below a directory take on the disk, in KiB
// as du(1) counts: by blocks, and a file with several names once.
func size(dir string) func() (string, error) {
	return func() (string, error) {
		n, err := kibibytes(dir)
		return strconv.FormatInt(n, 10), err
	}
}

func kibibytes(dir string) (int64, error) {
	blocks, seen := int64(0), map[uint64]bool{}
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if st, ok := info.Sys().(*syscall.Stat_t); ok && !seen[st.Ino] {
			seen[st.Ino] = true
			blocks += st.Blocks // of 512 bytes: stat(2)
		}
		return nil
	})
	return blocks / 2, err
}

// sizes writes the sizes of three directories, and their sum, as du -c does.
func sizes(lower, upper, second string) (string, error) {
	text, total := "", int64(0)
	for _, d := range []struct{ name, dir string }{{"LOWER", lower}, {"UPPER", upper}, {"UPPER-2", second}} {
		n, err := kibibytes(d.dir)
		if err != nil {
			return "", err
		}
		text += fmt.Sprintf("%-6d %s\n", n, d.name)
		total += n
	}
	return text + fmt.Sprintf("%-6d total", total), nil
}

// inodeOf is the number of a file's inode.
func inodeOf(path string) (string, error) {
	st, err := stat(path)
	if err != nil {
		return "", err
	}
	return strconv.FormatUint(st.Ino, 10), nil
}

// lowerOf gives the lower layers of the overlay that is a process's root, as its
// mount table has them.
func lowerOf(pid int) (string, error) {
	table, err := readFile(fmt.Sprintf("/proc/%d/mountinfo", pid))()
	if err != nil {
		return "", err
	}
	_, options, found := strings.Cut(table, "lowerdir=")
	if !found {
		return "", fmt.Errorf("process %d: its root is no overlay", pid)
	}
	lower, _, _ := strings.Cut(options, ",")
	return "lowerdir=" + lower, nil
}
