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
	"time"

	"golang.org/x/sync/errgroup"

	"cutaway/sandbox/image/store"
	"cutaway/sandbox/sys"
)

// Unpack returns one directory for each layer of img, the topmost first, in the
// form overlayfs wants its lower directories. What was unpacked before for the
// same owner is not unpacked again (store.Layers): a directory is known by the
// chain ID of its layer, since what a layer means can depend on those below it.
//
// A layer appears whole or not at all: it is unpacked beside its place and
// moved there when both its digests were right.
func (s *Store) Unpack(ctx context.Context, img *Image, o Owner) ([]string, error) {
	lowers, err := s.Layers(img, o)
	if errors.Is(err, store.ErrNotUnpacked) {
		u := &unpacking{store: s, img: img, owner: o, dir: s.LayersOf(o)}
		if err = u.run(ctx); err == nil {
			lowers, err = s.Layers(img, o)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", img.Ref, store.WithSpace(s.Dir(), err))
	}
	return lowers, nil
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

func (u *unpacking) layerDir(n int) string { return filepath.Join(u.dir, u.img.Layers[n].Name()) }

func (u *unpacking) present(n int) bool {
	_, err := os.Stat(u.layerDir(n))
	return err == nil
}

// run unpacks the layers that are missing, some at a time, from the base up.
func (u *unpacking) run(ctx context.Context) error {
	unlock, err := u.store.LockLayers(ctx, u.owner)
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

// layer unpacks layer n and moves it into its place.
func (u *unpacking) layer(ctx context.Context, n int) error {
	l := u.img.Layers[n]
	temp := filepath.Join(u.dir, store.TempLayer+l.Name())
	if err := os.Mkdir(temp, 0o700); err != nil {
		return fmt.Errorf("make layer directory: %w", err)
	}
	m := &overlay{opaques: map[string]bool{}, wait: func() error { return u.waitBelow(ctx, n) }}
	for below := n - 1; below >= 0; below-- {
		m.lowers = append(m.lowers, u.layerDir(below))
	}
	err := u.store.extract(ctx, []store.Layer{l}, u.owner, temp, &u.budget, func() merging { return m })
	if err == nil {
		err = os.Rename(temp, u.layerDir(n))
	}
	if err != nil {
		return errors.Join(err, store.RemoveTree(temp))
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
		return fmt.Errorf("flatten %s: %w", img.Ref, store.WithSpace(dst, err))
	}
	var b budget
	err = s.extract(ctx, img.Layers, o, dst, &b, func() merging { return newFlat() })
	if err == nil {
		return nil
	}
	err = fmt.Errorf("flatten %s: %w", img.Ref, store.WithSpace(dst, err))
	if made {
		return errors.Join(err, store.RemoveTree(dst))
	}
	for _, path := range children(dst) {
		err = errors.Join(err, store.RemoveTree(path))
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
func (s *Store) extract(ctx context.Context, layers []store.Layer, o Owner, dir string, b *budget, begin func() merging) error {
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
func (s *Store) tell(l store.Layer, skipped map[string]int) {
	if s.Note == nil {
		return
	}
	for _, reason := range slices.Sorted(maps.Keys(skipped)) {
		s.Note(fmt.Sprintf("layer %s: %s (%d files)", l.Digest, reason, skipped[reason]))
	}
}
