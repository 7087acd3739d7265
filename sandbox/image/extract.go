package image

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"sync/atomic"
	"syscall"

	"cutaway/sandbox/image/store"
	"cutaway/sandbox/sys"
)

// Most of what the layers of one image may hold together.
const (
	maxEntries  = 1_000_000 // files, directories, links
	maxUnpacked = 64 << 30  // bytes of file content
)

// budget is what an image has left of its limits. Layers share it.
type budget struct{ entries, bytes atomic.Int64 }

func (b *budget) take(entries, bytes int64) error {
	if b.entries.Add(entries) > maxEntries {
		return &store.LimitError{What: "image", Limit: maxEntries, Unit: "files"}
	}
	if bytes < 0 || bytes > maxUnpacked || b.bytes.Add(bytes) > maxUnpacked {
		return &store.LimitError{What: "image", Limit: maxUnpacked, Unit: "bytes of files"}
	}
	return nil
}

// merging is what happens where a layer meets those below it: on an overlay
// it leaves marks for the kernel, in a flat tree it acts.
type merging interface {
	// hide is for NAME's whiteout: what layers below have of that name is gone.
	hide(x *extractor, name string) error
	// opaque is for a whole directory's.
	opaque(x *extractor, name string) error
	// placed is told of every file made.
	placed(parent *directory, base string)
	// missing is asked about a hard link whose target this tree lacks. It
	// reports whether it takes care of it.
	missing(name, target string, a attributes) bool
	// finish ends the layer.
	finish(x *extractor) error
}

// extractor unpacks one layer into a tree.
type extractor struct {
	tree    *tree
	layer   store.Layer
	merging merging
	budget  *budget
	setter  setter
	buf     []byte
}

func newExtractor(t *tree, l store.Layer, o Owner, m merging, b *budget) *extractor {
	return &extractor{tree: t, layer: l, merging: m, budget: b, setter: setter{owner: o}, buf: make([]byte, 256<<10)}
}

// run unpacks the archive r.
func (x *extractor) run(ctx context.Context, r io.Reader) error {
	archive := tar.NewReader(r)
	for {
		h, err := archive.Next()
		if err == io.EOF {
			return x.fault("", x.merging.finish(x))
		}
		// Insecure names are what the rest of this file is about.
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return &LayerError{Layer: x.layer.Digest, Fact: "read archive: " + err.Error(), Err: err}
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := x.entry(h, archive); err != nil {
			return x.fault(h.Name, err)
		}
	}
}

// fault says which entry an error is about.
func (x *extractor) fault(name string, err error) error {
	var layer *LayerError
	var limit *store.LimitError
	if err == nil || errors.As(err, &layer) || errors.As(err, &limit) {
		return err
	}
	fact := err.Error()
	var number syscall.Errno
	if errors.As(err, &number) {
		fact = strings.Replace(fact, number.Error(), errno(number), 1)
	}
	return &LayerError{Layer: x.layer.Digest, Entry: name, Fact: fact, Err: err}
}

// entry unpacks one entry.
func (x *extractor) entry(h *tar.Header, content io.Reader) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	x.tree.between()
	name, err := cleanName(h.Name)
	if err != nil {
		return err
	}
	if done, err := x.whiteout(name); done || err != nil {
		return err
	}
	a, err := attributesOf(h, x.setter.owner)
	if err != nil {
		return err
	}
	size := int64(0)
	if h.Typeflag != tar.TypeDir {
		size = h.Size
	}
	if err := x.budget.take(1, size); err != nil {
		return err
	}
	if name == "." {
		if h.Typeflag != tar.TypeDir {
			return errors.New("the root is not a directory")
		}
		x.tree.root.attrs, x.tree.root.implied = a, false
		return nil
	}
	dir, base := split(name)
	parent, err := x.parent(dir, impliedBy(h, x.setter.owner))
	if err != nil {
		return err
	}
	return x.place(h, parent, base, name, a, content)
}

// place makes the file of an entry.
func (x *extractor) place(h *tar.Header, parent *directory, base, name string, a attributes, content io.Reader) error {
	switch h.Typeflag {
	case tar.TypeDir:
		return x.directory(parent, base, name, a)
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse:
		return x.regular(parent, base, a, content, sparse(h))
	case tar.TypeSymlink:
		return x.special(parent, base, true, a, func() error { return parent.fd.Symlink(h.Linkname, base) })
	case tar.TypeFifo:
		return x.special(parent, base, false, a, func() error { return parent.fd.Mkfifo(base) })
	case tar.TypeLink:
		return x.link(parent, base, name, h.Linkname, a)
	case tar.TypeChar, tar.TypeBlock:
		// /dev is made by whoever runs the container; a node from a layer is a
		// door to the host's devices, or a whiteout in disguise.
		x.setter.skip("device nodes are not made from layers")
		return nil
	}
	return fmt.Errorf("unknown type %q of entry", h.Typeflag)
}

// cleanName makes a name relative and canonical. A ".." is refused wherever it
// stands: no builder writes one.
func cleanName(name string) (string, error) {
	for _, c := range strings.Split(name, "/") {
		if c == ".." {
			return "", errors.New("the name leads out of the layer")
		}
	}
	return path.Clean(strings.TrimLeft(name, "/")), nil
}

// parent opens the directory an entry goes into, making it if need be.
func (x *extractor) parent(dir string, a attributes) (*directory, error) {
	return x.tree.ensure(dir, a, func(parent *directory, base string) error {
		x.merging.placed(parent, base)
		return x.budget.take(1, 0)
	})
}

// replacing calls put, which fails with EEXIST if base is taken; then what is
// there goes, and put is called again. The later entry wins.
func (x *extractor) replacing(parent *directory, base string, put func() error) error {
	err := put()
	if errors.Is(err, syscall.EEXIST) {
		if err = x.tree.remove(parent, base); err == nil {
			err = put()
		}
	}
	if err == nil {
		x.merging.placed(parent, base)
	}
	return err
}

func (x *extractor) directory(parent *directory, base, name string, a attributes) error {
	if st, err := parent.fd.Lstat(base); err == nil && st.Mode&syscall.S_IFMT == syscall.S_IFDIR {
		d, err := x.tree.find(path.Join(parent.path(), base))
		if err != nil {
			return err
		}
		d.attrs, d.implied = a, false
		x.merging.placed(parent, base)
		return nil
	}
	if err := x.replacing(parent, base, func() error { return parent.fd.Mkdir(base) }); err != nil {
		return err
	}
	_, err := x.tree.add(parent, base, name, a, false)
	return err
}

func (x *extractor) regular(parent *directory, base string, a attributes, content io.Reader, sparse bool) error {
	var fd sys.FD
	err := x.replacing(parent, base, func() (err error) {
		fd, err = parent.fd.Create(base)
		return err
	})
	if err != nil {
		return err
	}
	err = x.copy(fd, content, sparse)
	if err == nil {
		err = x.setter.open(fd, a)
	}
	if closeErr := fd.Close(); err == nil {
		err = closeErr
	}
	return err
}

// sparse reports whether an archive says that a file has holes. The reader
// fills them with zeros.
func sparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return h.Typeflag == tar.TypeGNUSparse
}

// copy writes content to fd, blocks of zeros as holes if it is sparse.
func (x *extractor) copy(fd sys.FD, content io.Reader, sparse bool) error {
	const block = 4 << 10 // bytes; file systems have holes of whole blocks
	buf := x.buf
	if sparse {
		buf = buf[:block]
	}
	var size int64
	for {
		n, err := fill(content, buf)
		size += int64(n)
		var putErr error
		if sparse && zero(buf[:n]) {
			putErr = fd.Skip(int64(n))
		} else {
			_, putErr = fd.Write(buf[:n])
		}
		if putErr != nil {
			return putErr
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if sparse {
		return fd.Truncate(size) // a hole at the end
	}
	return nil
}

// fill reads until buf is full, or the error that ended it before. Unlike
// io.ReadFull it leaves io.EOF what it is.
func fill(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var m int
		m, err = r.Read(buf[n:])
		n += m
	}
	return n, err
}

func zero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// special makes a file that has no content.
func (x *extractor) special(parent *directory, base string, link bool, a attributes, put func() error) error {
	if err := x.replacing(parent, base, put); err != nil {
		return err
	}
	return x.setter.named(parent.fd, base, link, a)
}

// link makes a hard link. Both names are inside the tree; the attributes are
// the target's.
func (x *extractor) link(parent *directory, base, name, target string, a attributes) error {
	target, err := cleanName(target)
	if err != nil {
		return fmt.Errorf("hard link to %q: %w", target, err)
	}
	dir, old := split(target)
	from, err := x.tree.find(dir)
	if name == target && err == nil {
		_, err = from.fd.Lstat(old) // a link to itself is there already, or not at all
	} else if err == nil {
		err = x.replacing(parent, base, func() error { return from.fd.Link(old, parent.fd, base) })
	}
	if errors.Is(err, syscall.ENOENT) && x.merging.missing(name, target, a) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("hard link to %q: %w", target, err)
	}
	return nil
}
