package op

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"cutaway/sandbox/sys"
)

// removeAll removes a directory of a container and what is in it, but nothing
// that is mounted there.
func removeAll(k *sys.Kernel, dir string) error {
	if err := detachBelow(k, dir); err != nil {
		return err
	}
	err := os.RemoveAll(dir)
	if errors.Is(err, os.ErrPermission) {
		err = errors.Join(openDirs(dir), os.RemoveAll(dir))
	}
	return err
}

// openDirs lets the owner into all directories below path: overlayfs keeps one
// of mode 0 in its work directory with a whiteout in it, and only root needs no
// permission to empty that.
func openDirs(path string) error {
	return filepath.WalkDir(path, func(path string, d fs.DirEntry, _ error) error {
		if d == nil || !d.IsDir() {
			return nil
		}
		return os.Chmod(path, 0o700) // WalkDir comes by before it reads the directory
	})
}

// detachBelow unmounts what is mounted at or below dir. A container without a
// mount namespace mounts in the host's table, and what it mounted, a disk of the
// host perhaps, must not be emptied with the directory.
func detachBelow(k *sys.Kernel, dir string) error {
	dir, err := filepath.EvalSymlinks(dir)
	if os.IsNotExist(err) {
		return nil
	} else if err != nil {
		return err
	}
	for {
		table, err := os.ReadFile("/proc/self/mountinfo")
		if err != nil {
			return err
		}
		target := lastBelow(string(table), dir)
		if target == "" {
			return nil
		}
		if err := k.Umount2(target, sys.Detach|sys.NoFollow); err != nil {
			return at(err, "unmount %s", target)
		}
	}
}

// unescape undoes the escapes that keep a mount one line and a path one field:
// proc_pid_mountinfo(5).
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

// lastBelow gives the target of the last mount of a table at or below dir, which
// no other covers; "" if there is none.
func lastBelow(table, dir string) (target string) {
	for line := range strings.Lines(table) {
		if f := strings.Fields(line); len(f) > 4 {
			if at := unescape.Replace(f[4]); at == dir || strings.HasPrefix(at, dir+"/") {
				target = at
			}
		}
	}
	return target
}
