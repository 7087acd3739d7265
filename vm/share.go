package vm

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// ShareDir is where a shared folder is in the guest. The guest's kernel knows
// no file system over a wire, so the folder is copied: in before the command,
// and what changed out after it.
const ShareDir = "/mnt/share"

// ShareIn copies a folder into the guest. Regular files, directories and
// symbolic links are copied, nothing else.
func (l *Link) ShareIn(ctx context.Context, dir string) error {
	if st, err := os.Stat(dir); err != nil {
		return fmt.Errorf("share a folder: %w", err)
	} else if !st.IsDir() {
		return fmt.Errorf("share %s: not a folder", dir)
	}
	// A container's root is nobody out there, and is to leave something, too.
	if err := l.shell(ctx, nil, "mkdir -p "+ShareDir+" && chmod 777 "+ShareDir); err != nil {
		return err
	}
	return l.unpack(ctx, ShareDir, func(w *tar.Writer) error { return packFolder(w, dir) })
}

// ShareOut copies what is new or changed in the guest's copy back into the
// folder. What was deleted there stays here.
func (l *Link) ShareOut(ctx context.Context, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("share a folder: %w", err)
	}
	defer root.Close()
	r, w := io.Pipe()
	unpacked := make(chan error, 1)
	go func() {
		err := unpackFolder(root, r)
		r.CloseWithError(err)
		unpacked <- err
	}()
	err = l.shell(ctx, w, "tar -c -f - -C "+ShareDir+" .")
	w.CloseWithError(err)
	if err = errors.Join(err, <-unpacked); err != nil {
		return fmt.Errorf("copy the shared folder out of the microVM: %w", err)
	}
	return nil
}

// packFolder writes a folder's files into an archive.
func packFolder(w *tar.Writer, dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		h := &tar.Header{Name: filepath.ToSlash(name), Mode: int64(info.Mode().Perm()), ModTime: time.Unix(info.ModTime().Unix(), 0)}
		switch info.Mode().Type() {
		case 0:
			return putFile(w, h.Name, path)
		case fs.ModeDir:
			h.Typeflag = tar.TypeDir
		case fs.ModeSymlink:
			h.Typeflag = tar.TypeSymlink
			if h.Linkname, err = os.Readlink(path); err != nil {
				return err
			}
		default:
			return nil
		}
		return w.WriteHeader(h)
	})
}

// unpackFolder writes those files of an archive below root that are new or have
// changed: in size, in mode or in time. Paths and links that lead out of it are
// refused by os.Root.
func unpackFolder(root *os.Root, r io.Reader) error {
	for t := tar.NewReader(r); ; {
		h, err := t.Next()
		if err == io.EOF {
			_, err = io.Copy(io.Discard, r) // the padding behind the end
			return err
		}
		if err != nil {
			return err
		}
		name, mode := filepath.Clean(h.Name), fs.FileMode(h.Mode).Perm()
		switch h.Typeflag {
		case tar.TypeDir:
			err = root.MkdirAll(name, mode)
		case tar.TypeReg:
			if st, statErr := root.Lstat(name); statErr == nil && st.Mode() == mode && st.Size() == h.Size && st.ModTime().Unix() == h.ModTime.Unix() {
				continue
			}
			err = replaceFile(root, name, mode, t)
		case tar.TypeSymlink:
			err = replaceLink(root, name, h.Linkname)
		}
		if err != nil {
			return err
		}
	}
}

func replaceFile(root *os.Root, name string, mode fs.FileMode, content io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := root.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	return errors.Join(err, f.Chmod(mode), f.Close())
}

func replaceLink(root *os.Root, name, target string) error {
	if now, err := root.Readlink(name); err == nil && now == target {
		return nil
	}
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return root.Symlink(target, name)
}
