package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"cutaway/sandbox/sys"
)

// tempLayer begins the name of a directory that a layer is being unpacked into,
// or removed from. Whoever has the owner directory's lock and does not know it
// removes it.
const tempLayer = ".tmp-"

// Unpack returns one directory for each layer of img, the topmost first, in the
// form overlayfs wants its lower directories. What was unpacked before for the
// same owner is not unpacked again: a directory is known by the chain ID of its
// layer, since what a layer means can depend on those below it.
//
// A layer appears whole or not at all: it is unpacked beside its place and
// moved there when both its digests were right. When an opaque directory hides
// the layers below as a whole, those are left out.
func (s *Store) Unpack(ctx context.Context, img *Image, o Owner) ([]string, error) {
	u := &unpacking{store: s, img: img, owner: o, dir: s.path("layers", o.key())}
	if !u.complete() {
		if err := u.run(ctx); err != nil {
			return nil, fmt.Errorf("unpack %s: %w", img.Ref, withSpace(s.dir, err))
		}
	}
	var lowers []string
	for n := len(img.Layers) - 1; n >= 0; n-- {
		dir := u.layerDir(n)
		lowers = append(lowers, dir)
		opaque, err := isOpaque(dir)
		if err != nil {
			return nil, fmt.Errorf("unpack %s: %w", img.Ref, err)
		}
		if opaque {
			break
		}
	}
	return lowers, nil
}

// layerName is the name of a layer's directory: the digits of its chain ID.
// The colon would end the path in overlayfs's mount options.
func layerName(l Layer) string {
	_, digits, _ := strings.Cut(l.ChainID, ":")
	return digits
}

// unpacking is one Unpack under way.
type unpacking struct {
	store  *Store
	img    *Image
	owner  Owner
	dir    string // where the layers of this owner are
	budget budget
	done   []chan struct{} // closed when the layer is in its place
}

func (u *unpacking) layerDir(n int) string { return filepath.Join(u.dir, layerName(u.img.Layers[n])) }

func (u *unpacking) present(n int) bool {
	_, err := os.Stat(u.layerDir(n))
	return err == nil
}

func (u *unpacking) complete() bool {
	for n := range u.img.Layers {
		if !u.present(n) {
			return false
		}
	}
	return true
}

// run unpacks the layers that are missing, some at a time, from the base up.
func (u *unpacking) run(ctx context.Context) error {
	unlock, err := u.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	u.done = make([]chan struct{}, len(u.img.Layers))
	for n := range u.done {
		u.done[n] = make(chan struct{})
	}
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(parallel)
	for n := range u.img.Layers {
		if u.present(n) {
			close(u.done[n])
			continue
		}
		work.Go(func() error { return u.layer(ctx, n) })
	}
	return work.Wait()
}

// lock waits for the right to unpack for this owner, and sweeps what those who
// had it before and died have left.
func (u *unpacking) lock(ctx context.Context) (unlock func(), err error) {
	err = os.MkdirAll(u.dir, 0o711)
	if err == nil {
		err = searchable(u.dir)
	}
	if err != nil {
		return nil, fmt.Errorf("make layer directory: %w", err)
	}
	d, err := sys.OpenDirectory(u.dir)
	if err != nil {
		return nil, fmt.Errorf("open layer directory: %w", err)
	}
	for {
		if err = d.Flock(true); !wouldBlock(err) {
			break
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			d.Close()
			return nil, context.Cause(ctx)
		}
	}
	if err == nil {
		err = sweepLayers(u.dir)
	}
	if err != nil {
		d.Close()
		return nil, fmt.Errorf("lock layer directory: %w", err)
	}
	return func() { d.Close() }, nil
}

func sweepLayers(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), tempLayer) {
			if err := removeTree(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// layer unpacks layer n and moves it into its place.
func (u *unpacking) layer(ctx context.Context, n int) error {
	l := u.img.Layers[n]
	temp := filepath.Join(u.dir, tempLayer+layerName(l))
	if err := os.Mkdir(temp, 0o700); err != nil {
		return fmt.Errorf("make layer directory: %w", err)
	}
	m := &overlay{opaques: map[string]bool{}, wait: func() error { return u.waitBelow(ctx, n) }}
	for below := n - 1; below >= 0; below-- {
		m.lowers = append(m.lowers, u.layerDir(below))
	}
	err := u.store.extract(ctx, []Layer{l}, u.owner, temp, &u.budget, func() merging { return m })
	if err == nil {
		err = os.Rename(temp, u.layerDir(n))
	}
	if err != nil {
		return errors.Join(err, removeTree(temp))
	}
	close(u.done[n])
	return nil
}

// waitBelow returns when all layers below n are in place.
func (u *unpacking) waitBelow(ctx context.Context, n int) error {
	for _, done := range u.done[:n] {
		select {
		case <-done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// Flatten applies all layers of img, in order, into one plain tree at dst: a
// root file system for those who have no overlay. dst must not exist, or be
// empty; on failure it is as before.
func (s *Store) Flatten(ctx context.Context, img *Image, o Owner, dst string) error {
	err := os.Mkdir(dst, 0o700)
	made := err == nil
	if errors.Is(err, fs.ErrExist) {
		err = checkEmpty(dst)
	}
	if err != nil {
		return fmt.Errorf("flatten %s: %w", img.Ref, withSpace(dst, err))
	}
	var b budget
	err = s.extract(ctx, img.Layers, o, dst, &b, func() merging { return newFlat() })
	if err == nil {
		return nil
	}
	err = fmt.Errorf("flatten %s: %w", img.Ref, withSpace(dst, err))
	if made {
		return errors.Join(err, removeTree(dst))
	}
	for _, path := range children(dst) {
		err = errors.Join(err, removeTree(path))
	}
	return err
}

func checkEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		return fmt.Errorf("directory %s is not empty", dir)
	}
	return err
}

// extract unpacks layers, one after the other, into the empty directory dir.
// begin gives each its way of merging.
func (s *Store) extract(ctx context.Context, layers []Layer, o Owner, dir string, b *budget, begin func() merging) error {
	epoch := time.Unix(0, 0) // for a root directory that no layer describes
	t, err := openTree(dir, attributes{uid: o.UIDBase, gid: o.GIDBase, mode: 0o755, atime: epoch, mtime: epoch})
	if err != nil {
		return err
	}
	defer t.close()
	skipped := map[string]int{}
	var x *extractor
	for _, l := range layers {
		x = newExtractor(t, l, o, begin(), b)
		r, err := s.openLayer(ctx, l)
		if err != nil {
			return err
		}
		err = r.finish(x.run(ctx, r))
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		s.tell(l, x.setter.skipped)
	}
	last := setter{owner: o, skipped: skipped}
	err = t.seal(func(fd sys.FD, name string, a attributes) error {
		if err := last.open(fd, a); err != nil {
			return fmt.Errorf("set attributes of %s: %w", name, err)
		}
		return nil
	})
	if err == nil && x != nil {
		s.tell(x.layer, skipped)
	}
	return err
}

// tell passes on what was left out of a layer, in a fixed order.
func (s *Store) tell(l Layer, skipped map[string]int) {
	if s.Note == nil {
		return
	}
	for _, reason := range slices.Sorted(maps.Keys(skipped)) {
		s.Note(fmt.Sprintf("layer %s: %s (%d files)", l.Digest, reason, skipped[reason]))
	}
}
