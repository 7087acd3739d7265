package op

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"cutaway/sandbox/sys"
)

// Tree copies a directory tree, with owners, modes and links, to be a root
// filesystem of its own: what cp -a does. It is plain file work and no system
// call of it is shown.
type Tree struct {
	From string `json:"from"`
	Path string `json:"path"`
}

// Name implements Op.
func (Tree) Name() string { return "copy" }

// Do implements Op.
func (o Tree) Do(k *sys.Kernel, _ *Target) error {
	if k.Dry {
		return nil
	}
	linked := map[uint64]string{} // inode of a file with several names -> its copy
	return at(filepath.WalkDir(o.From, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(o.From, path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return copyEntry(path, filepath.Join(o.Path, relative), info, linked)
	}), "copy %s to %s", o.From, o.Path)
}

func copyEntry(from, to string, info fs.FileInfo, linked map[uint64]string) error {
	st, isUnix := info.Sys().(*syscall.Stat_t)
	if !isUnix {
		return fs.ErrInvalid
	}
	var err error
	switch mode := info.Mode(); {
	case mode.IsDir():
		err = os.Mkdir(to, 0o700)
	case mode&fs.ModeSymlink != 0:
		var target string
		if target, err = os.Readlink(from); err == nil {
			err = os.Symlink(target, to)
		}
	case !mode.IsRegular():
		return nil
	case st.Nlink > 1 && linked[st.Ino] != "":
		return os.Link(linked[st.Ino], to)
	default:
		linked[st.Ino] = to
		err = copyFile(from, to)
	}
	if err != nil {
		return err
	}
	if err := os.Lchown(to, int(st.Uid), int(st.Gid)); err != nil && os.Geteuid() == 0 {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return nil
	}
	return os.Chmod(to, info.Mode()) // after chown, which clears setuid
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// Undo removes the copy.
func (o Tree) Undo(k *sys.Kernel) error { return at(removeAll(k, o.Path), "remove %s", o.Path) }

// Removes implements Remover.
func (o Tree) Removes() string { return o.Path }

// Shell implements Op.
func (o Tree) Shell() string { return "cp -a " + quote(o.From) + " " + quote(o.Path) }
