package image

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"

	"cutaway/sandbox/image/store"
	"cutaway/sandbox/sys"
)

// overlay keeps a layer apart, in the form overlayfs wants a lower directory:
// a whiteout becomes a character device 0:0, an opaque directory an extended
// attribute (Documentation/filesystems/overlayfs.rst, "whiteouts and opaque
// directories"). What the layers below hold is needed only when the archive
// has ended, so layers can be unpacked side by side until then.
type overlay struct {
	wait   func() error // returns when all layers below are complete
	lowers []string     // the layers below, topmost first

	hidden  []string
	opaques map[string]bool
	links   []pendingLink
}

// pendingLink is a hard link to a file of a layer below.
type pendingLink struct {
	name, target string
	attrs        attributes // of directories on the way to name
}

func (o *overlay) placed(*directory, string) {}

func (o *overlay) hide(_ *extractor, name string) error {
	o.hidden = append(o.hidden, name)
	return nil
}

func (o *overlay) opaque(_ *extractor, name string) error {
	o.opaques[name] = true
	return nil
}

func (o *overlay) missing(name, target string, a attributes) bool {
	a.mode, a.xattrs = 0o755, nil
	o.links = append(o.links, pendingLink{name, target, a})
	return true
}

// finish does what needs the layers below.
func (o *overlay) finish(x *extractor) error {
	if err := o.wait(); err != nil {
		return err
	}
	for _, l := range o.links {
		x.tree.between()
		if err := o.link(x, l); err != nil {
			return fmt.Errorf("link %s to %s: %w", l.name, l.target, err)
		}
	}
	slices.Sort(o.hidden) // a directory before what is in it
	for _, name := range o.hidden {
		x.tree.between()
		if err := o.mark(x, name); err != nil {
			return fmt.Errorf("whiteout of %s: %w", name, err)
		}
	}
	for name := range o.opaques {
		x.tree.between()
		d, err := x.parent(name, x.tree.root.attrs)
		if hiddenAlready(err) {
			continue
		}
		if err == nil {
			err = setOpaque(d.fd)
		}
		if err != nil {
			return fmt.Errorf("opaque directory %s: %w", name, err)
		}
	}
	return o.inherit(x)
}

// mark makes the whiteout of name, if there is something to hide: a whiteout
// in a directory that no layer below has would be listed as a device.
func (o *overlay) mark(x *extractor, name string) error {
	dir, base := split(name)
	d, err := x.tree.find(dir)
	if hiddenAlready(err) {
		return nil
	}
	if err == nil {
		if st, err := d.fd.Lstat(base); err == nil {
			// The layer hides the old and brings a new one. A file does that by
			// itself, a directory must not be merged with the old.
			if st.Mode&syscall.S_IFMT == syscall.S_IFDIR {
				o.opaques[name] = true
			}
			return nil
		}
	}
	for up := dir; ; up, _ = split(up) {
		if o.opaques[up] {
			return nil
		}
		if up == "." {
			break
		}
	}
	if file, err := store.Lookup(o.lowers, name); file == "" || err != nil {
		return err
	}
	d, err = x.parent(dir, x.tree.root.attrs)
	if hiddenAlready(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if err = d.fd.Whiteout(base); errors.Is(err, syscall.EPERM) {
		return &OverlaidError{err}
	}
	return err
}

// hiddenAlready reports whether err, from looking for a directory, says that the
// layer has something else in its place, a file or a link that leads nowhere:
// then nothing of the layers below is to be seen there anyway.
func hiddenAlready(err error) bool {
	return errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EEXIST)
}

// setOpaque marks the directory d in the way overlays mounted by root read, and
// in the way others do. Without CAP_SYS_ADMIN only the second is possible.
func setOpaque(d sys.FD) error {
	trusted := d.SetXattr(store.OpaqueXattrs[0], []byte("y"))
	user := d.SetXattr(store.OpaqueXattrs[1], []byte("y"))
	if trusted != nil && user != nil {
		return user
	}
	return nil
}

// inherit gives directories that the layer needs but does not describe the
// attributes of the same directory below: overlayfs shows those of the topmost.
func (o *overlay) inherit(x *extractor) error {
	for _, d := range x.tree.known {
		if !d.implied {
			continue
		}
		file, err := store.Lookup(o.lowers, d.path())
		if err != nil {
			return err
		}
		info, err := os.Lstat(file)
		if file == "" || err != nil || !info.IsDir() {
			continue
		}
		if d.attrs, err = attributesAt(file, info); err != nil {
			return err
		}
	}
	return nil
}
