package doctor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Numbers of statfs(2): the type of an overlayfs, OVERLAYFS_SUPER_MAGIC in
// include/uapi/linux/magic.h, and mount flags.
const (
	overlayMagic = 0x794c7630
	readOnly     = 1
	noExec       = 8
)

// room is what the lab wants to find free, in bytes: a few images.
const room = 128 << 20

// existing is the directory itself, or the nearest one above that is there.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// state looks at the file system that root filesystems are kept on.
func (m Machine) state() Finding {
	const check = "state directory"
	const fix = "cutaway --state DIR, with DIR on ext4, xfs or tmpfs"
	broken := func(found, cause string) Finding {
		return Finding{Check: check, Level: Broken, Found: m.State + " " + found, Cause: cause, Fix: fix}
	}
	dir := existing(m.State)
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return broken("cannot be looked at: "+err.Error(), "images have no place")
	}
	switch {
	case st.Flags&readOnly != 0:
		return broken("is on a read-only file system", "images have no place")
	case st.Type == overlayMagic:
		return broken("is on overlayfs", "an overlay's upper directory cannot be on an overlay itself")
	case st.Flags&noExec != 0:
		return broken("is on a file system mounted noexec", "no program of a root filesystem kept there can be executed")
	}
	// 2: may it be written to? access(2), W_OK
	if err := syscall.Access(dir, 2); err != nil {
		return broken("cannot be written to", "images have no place")
	}
	return fine(check, "%s", m.State)
}

// space looks at how much fits there.
func (m Machine) space() Finding {
	return free("disk space", m.State, "images and what containers write may not fit",
		"cutaway rmi IMAGE for those that cutaway images lists; or cutaway --state DIR, with DIR elsewhere")
}

// cache looks at how much fits where guest kernels are kept.
func (m Machine) cache() Finding {
	return free("cache", m.Cache, "a guest kernel and what is made of it may not fit",
		"rm -r "+m.Cache+"; or XDG_CACHE_HOME=DIR, with DIR elsewhere")
}

// free looks at the room below a directory.
func free(check, dir, cause, fix string) Finding {
	var st syscall.Statfs_t
	if err := syscall.Statfs(existing(dir), &st); err != nil {
		return Finding{Check: check, Level: Limited, Found: dir + ": " + err.Error(), Cause: "it is not known how much fits", Fix: fix}
	}
	bytes := st.Bavail * uint64(st.Bsize)
	if bytes < room {
		return Finding{Check: check, Level: Limited, Found: megabytes(bytes) + " free for " + dir, Cause: cause, Fix: fix}
	}
	return fine(check, "%s free for %s", megabytes(bytes), dir)
}

// runtimeDir looks at /run, where many programs expect to execute what they
// keep, and on many systems cannot.
func runtimeDir() Finding {
	const check = "/run"
	var st syscall.Statfs_t
	if err := syscall.Statfs("/run", &st); errors.Is(err, os.ErrNotExist) {
		return fine(check, "not there; the lab makes its directory")
	} else if err == nil && st.Flags&noExec != 0 {
		return fine(check, "mounted noexec, which the lab does not mind: only journals are kept there")
	}
	return fine(check, "only journals are kept there")
}

func megabytes(bytes uint64) string { return fmt.Sprintf("%d MiB", bytes>>20) }
