package image

import (
	"errors"
	"path"
	"strings"
	"syscall"
)

// Whiteouts: image-spec layer.md, "Whiteouts". The names are AUFS's, as are
// others that begin with .wh..wh. and mean nothing any more.
const (
	whiteoutPrefix = ".wh."
	whiteoutMeta   = ".wh..wh."
	whiteoutOpaque = ".wh..wh..opq"
)

// whiteout does what an entry's name asks for if it is a whiteout's.
func (x *extractor) whiteout(name string) (done bool, err error) {
	dir, base := split(name)
	for _, c := range strings.Split(dir, "/") {
		if strings.HasPrefix(c, whiteoutMeta) {
			return true, nil // AUFS's own bookkeeping
		}
		if strings.HasPrefix(c, whiteoutPrefix) {
			return true, errors.New("a directory cannot have a whiteout's name")
		}
	}
	switch {
	case base == whiteoutOpaque:
		return true, x.merging.opaque(x, dir)
	case strings.HasPrefix(base, whiteoutMeta):
		return true, nil
	case strings.HasPrefix(base, whiteoutPrefix):
		hidden := strings.TrimPrefix(base, whiteoutPrefix)
		if hidden == "" || hidden == "." || hidden == ".." {
			return true, errors.New("the whiteout names no file")
		}
		if err := x.budget.take(1, 0); err != nil {
			return true, err
		}
		return true, x.merging.hide(x, path.Join(dir, hidden))
	}
	return false, nil
}

// flat merges a layer into the tree that holds the layers below it. A whiteout
// deletes, but never what its own layer brought.
type flat struct {
	own map[place]bool // what this layer made
}

// place is a name in a directory, however the archive spells the way there.
type place struct {
	directory uint64 // inode
	base      string
}

func newFlat() *flat { return &flat{own: map[place]bool{}} }

func (f *flat) placed(parent *directory, base string) { f.own[place{parent.inode, base}] = true }

func (f *flat) missing(string, string, attributes) bool { return false }

func (f *flat) finish(*extractor) error { return nil }

func (f *flat) hide(x *extractor, name string) error {
	dir, base := split(name)
	parent, err := x.tree.find(dir)
	if err == nil {
		err = f.delete(x.tree, parent, base)
	}
	if errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ENOTDIR) {
		return nil // nothing to hide
	}
	return err
}

func (f *flat) opaque(x *extractor, name string) error {
	d, err := x.tree.find(name)
	if errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	if err != nil {
		return err
	}
	names, err := d.fd.Names()
	if err != nil {
		return err
	}
	for _, n := range names {
		if err := f.delete(x.tree, d, n); err != nil {
			return err
		}
	}
	return nil
}

// delete removes base from parent as far as it comes from layers below.
func (f *flat) delete(t *tree, parent *directory, base string) error {
	st, err := parent.fd.Lstat(base)
	if err != nil {
		return err
	}
	own := f.own[place{parent.inode, base}]
	if st.Mode&syscall.S_IFMT != syscall.S_IFDIR {
		if own {
			return nil
		}
		return parent.fd.Remove(base, false)
	}
	d, err := t.find(path.Join(parent.path(), base))
	if err != nil {
		return err
	}
	names, err := d.fd.Names()
	if err != nil {
		return err
	}
	for _, n := range names {
		if err := f.delete(t, d, n); err != nil {
			return err
		}
	}
	if own {
		return nil
	}
	err = parent.fd.Remove(base, true)
	if errors.Is(err, syscall.ENOTEMPTY) { // holds something of this layer
		return nil
	}
	delete(t.known, d.inode)
	t.forgetNames()
	return err
}
