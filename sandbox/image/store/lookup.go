package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"cutaway/sandbox/sys"
)

// OpaqueXattrs mark a directory that hides those of the same name below. The
// kernel reads the first on an overlay that root mounted, the second on one
// mounted with userxattr inside a user namespace (since Linux 5.11).
var OpaqueXattrs = []string{"trusted.overlay.opaque", "user.overlay.opaque"}

// IsOpaque reports whether the directory at dir hides those below.
func IsOpaque(dir string) (bool, error) {
	for _, key := range OpaqueXattrs {
		value, err := sys.Xattr(dir, key)
		if err != nil {
			return false, fmt.Errorf("read %s of %s: %w", key, dir, err)
		}
		if string(value) == "y" {
			return true, nil
		}
	}
	return false, nil
}

// Lookup finds what layers, the topmost first, show together at name: its path in
// the topmost that has it, "" if none has or a whiteout hides it. No link is
// followed: on an overlay the directories of a layer above hide links below.
func Lookup(lowers []string, name string) (string, error) {
	merged := lowers
	if name == "." {
		return append(slices.Clone(lowers), "")[0], nil
	}
	at := "."
	for {
		next, rest, more := strings.Cut(name, "/")
		at = path.Join(at, next)
		var dirs []string
		for _, layer := range merged {
			file := filepath.Join(layer, at)
			info, err := os.Lstat(file)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return "", err
			}
			if !info.IsDir() {
				if len(dirs) > 0 || more || IsWhiteout(info) {
					break
				}
				return file, nil
			}
			dirs = append(dirs, layer)
			opaque, err := IsOpaque(file)
			if err != nil {
				return "", err
			}
			if opaque {
				break
			}
		}
		if len(dirs) == 0 {
			return "", nil
		}
		if !more {
			return filepath.Join(dirs[0], at), nil
		}
		merged, name = dirs, rest
	}
}

// IsWhiteout reports whether a file is the character device 0:0.
func IsWhiteout(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && info.Mode()&fs.ModeCharDevice != 0 && st.Rdev == 0
}
