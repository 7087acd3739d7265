package image

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"cutaway/sandbox/image/store"
	"cutaway/sandbox/sys"
)

// link makes a hard link to a file of a layer below: first the file is copied
// up into this layer, as the kernel does when somebody links it on an overlay.
// Further names the file has below stay with the old copy, as they do there.
func (o *overlay) link(x *extractor, l pendingLink) error {
	dir, base := split(l.target)
	to, err := x.tree.find(dir)
	if err == nil {
		_, err = to.fd.Lstat(base)
	}
	if err != nil { // not copied up for another link
		file, err := store.Lookup(o.lowers, l.target)
		if err != nil {
			return err
		}
		if file == "" {
			return syscall.ENOENT
		}
		if to, err = x.parent(dir, l.attrs); err != nil {
			return err
		}
		if err := x.copyUp(file, to.fd, base); err != nil {
			return fmt.Errorf("copy up: %w", err)
		}
	}
	dir, name := split(l.name)
	parent, err := x.parent(dir, l.attrs)
	if err != nil {
		return err
	}
	return x.replacing(parent, name, func() error { return to.fd.Link(base, parent.fd, name) })
}

// copyUp copies a file of a layer below, with all its attributes.
func (x *extractor) copyUp(file string, to sys.FD, base string) error {
	info, err := os.Lstat(file)
	if err != nil {
		return err
	}
	a, err := attributesAt(file, info)
	if err != nil {
		return err
	}
	if err := x.budget.take(1, info.Size()); err != nil {
		return err
	}
	switch info.Mode().Type() {
	case 0:
		return x.copyUpRegular(file, to, base, a)
	case fs.ModeSymlink:
		target, err := os.Readlink(file)
		if err != nil {
			return err
		}
		if err := to.Symlink(target, base); err != nil {
			return err
		}
		return x.setter.named(to, base, true, a)
	case fs.ModeNamedPipe:
		if err := to.Mkfifo(base); err != nil {
			return err
		}
		return x.setter.named(to, base, false, a)
	}
	return fmt.Errorf("%s: %w", info.Mode(), syscall.EPERM)
}

func (x *extractor) copyUpRegular(file string, to sys.FD, base string, a attributes) error {
	from, err := os.Open(file)
	if err != nil {
		return err
	}
	defer from.Close()
	fd, err := to.Create(base)
	if err != nil {
		return err
	}
	_, err = io.CopyBuffer(fd, struct{ io.Reader }{from}, x.buf)
	if err == nil {
		err = x.setter.open(fd, a)
	}
	if closeErr := fd.Close(); err == nil {
		err = closeErr
	}
	return err
}
