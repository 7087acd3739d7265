package image

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"syscall"

	"cutaway/sandbox/sys"
)

// tree is a directory being filled from archives that nobody vouches for.
// Every directory in it was made here and is known by its inode; names from
// outside are resolved by the kernel, inside the root (openat2(2)), and the
// last component of a name never follows a link.
type tree struct {
	root  *directory
	known map[uint64]*directory // by inode number
	names map[string]*directory // by name as the archives spell it; all with an open fd
	// opened lists every directory with an open fd, the root apart. Those that
	// are gone are among them: an entry at work may hold them yet.
	opened []*directory
}

// directory is a directory of a tree. Its attributes are set when everything
// is in place: until then only its owner gets in, and can write whatever its
// mode will be.
type directory struct {
	parent *directory // nil for the root
	name   string
	inode  uint64
	fd     sys.FD // -1 when closed
	attrs  attributes
	// implied directories were not in the layer that needed them.
	implied bool
}

// maxOpen is how many directories are kept open between entries. Archives go
// through a tree depth first, so that a few would do.
const maxOpen = 128

// openTree begins a tree in the empty directory at dir.
func openTree(dir string, implied attributes) (*tree, error) {
	fd, err := sys.OpenDirectory(dir)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	st, err := fd.Stat()
	if err != nil {
		fd.Close()
		return nil, fmt.Errorf("stat %s: %w", dir, err)
	}
	root := &directory{inode: st.Ino, fd: fd, attrs: implied, implied: true}
	return &tree{
		root: root, known: map[uint64]*directory{st.Ino: root}, names: map[string]*directory{".": root},
	}, nil
}

// close closes every directory.
func (t *tree) close() {
	t.closeOpened()
	t.root.fd.Close()
}

// between is called between two entries, when nobody holds a directory.
func (t *tree) between() {
	if len(t.opened) > maxOpen {
		t.closeOpened()
	}
}

func (t *tree) closeOpened() {
	for _, d := range t.opened {
		d.fd.Close()
		d.fd = -1
	}
	t.opened = nil
	t.forgetNames()
}

// forgetNames is called when a directory has gone: names may mean something
// else from then on.
func (t *tree) forgetNames() { t.names = map[string]*directory{".": t.root} }

// path is where d really is, below the root.
func (d *directory) path() string {
	if d.parent == nil {
		return "."
	}
	return path.Join(d.parent.path(), d.name)
}

// find opens the directory that name, cleaned, leads to. ENOENT: there is none.
func (t *tree) find(name string) (*directory, error) {
	if d := t.names[name]; d != nil {
		return d, nil
	}
	fd, err := t.root.fd.In(name)
	if err != nil {
		return nil, err
	}
	st, err := fd.Stat()
	if err != nil {
		fd.Close()
		return nil, err
	}
	d := t.known[st.Ino]
	switch {
	case d == nil:
		fd.Close()
		return nil, fmt.Errorf("directory %s changed while in use: %w", name, syscall.ESTALE)
	case d.fd >= 0: // open under another name
		fd.Close()
	default:
		d.fd = fd
		t.opened = append(t.opened, d)
	}
	t.names[name] = d
	return d, nil
}

// add makes the directory base in parent known, by the name the archive uses.
func (t *tree) add(parent *directory, base, name string, a attributes, implied bool) (*directory, error) {
	fd, err := parent.fd.In(base)
	if err != nil {
		return nil, err
	}
	st, err := fd.Stat()
	if err != nil {
		fd.Close()
		return nil, err
	}
	d := &directory{parent: parent, name: base, inode: st.Ino, fd: fd, attrs: a, implied: implied}
	t.known[st.Ino] = d
	t.opened = append(t.opened, d)
	t.names[name] = d
	return d, nil
}

// ensure is find, making what is missing. made is told of each directory made.
func (t *tree) ensure(name string, a attributes, made func(parent *directory, base string) error) (*directory, error) {
	d, err := t.find(name)
	if !errors.Is(err, syscall.ENOENT) {
		return d, err
	}
	dir, base := split(name)
	parent, err := t.ensure(dir, a, made)
	if err != nil {
		return nil, err
	}
	if err := parent.fd.Mkdir(base); errors.Is(err, syscall.EEXIST) {
		return nil, fmt.Errorf("mkdir %s: %w: a link that leads nowhere inside the layer", name, err)
	} else if err != nil {
		return nil, err
	}
	if err := made(parent, base); err != nil {
		return nil, err
	}
	return t.add(parent, base, name, a, true)
}

// split cuts a cleaned name into directory and last component.
func split(name string) (dir, base string) {
	dir, base = path.Split(name)
	if dir == "" {
		return ".", base
	}
	return strings.TrimSuffix(dir, "/"), base
}

// remove removes base from d, with all that is in it if it is a directory.
func (t *tree) remove(d *directory, base string) error {
	err := d.fd.Remove(base, false)
	if !errors.Is(err, syscall.EISDIR) && !errors.Is(err, syscall.EPERM) {
		return err
	}
	if err := t.removeDir(d.fd, base); err != nil {
		return err
	}
	t.forgetNames()
	return nil
}

// removeDir removes a directory with its content. The caller calls forgetNames.
func (t *tree) removeDir(parent sys.FD, base string) error {
	fd, err := parent.In(base)
	if err != nil {
		return err
	}
	defer fd.Close()
	names, err := fd.Names()
	if err != nil {
		return err
	}
	for _, name := range names {
		err := fd.Remove(name, false)
		if errors.Is(err, syscall.EISDIR) || errors.Is(err, syscall.EPERM) {
			err = t.removeDir(fd, name)
		}
		if err != nil {
			return err
		}
	}
	st, err := fd.Stat()
	if err != nil {
		return err
	}
	delete(t.known, st.Ino)
	return parent.Remove(base, true)
}

// seal sets the attributes of every directory, the deepest first: afterwards
// its owner may not get in any more.
func (t *tree) seal(set func(fd sys.FD, name string, a attributes) error) error {
	type sealed struct {
		name string
		dir  *directory
	}
	var all []sealed
	for _, d := range t.known {
		all = append(all, sealed{d.path(), d})
	}
	slices.SortFunc(all, func(a, b sealed) int {
		return cmp.Or(cmp.Compare(len(b.name), len(a.name)), cmp.Compare(a.name, b.name))
	})
	for _, s := range all {
		fd, err := t.root.fd.In(s.name)
		if err != nil {
			return fmt.Errorf("open %s: %w", s.name, err)
		}
		err = set(fd, s.name, s.dir.attrs)
		fd.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
