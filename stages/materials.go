package stages

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"cutaway/sandbox"
	"cutaway/sandbox/image"
	"cutaway/sandbox/image/store"
	"cutaway/sandbox/profile"
	"cutaway/stages/buildup"
)

// Materials are what a stage is made of: what its container is built with, and what
// the stage itself brings to it.
type Materials struct {
	buildup.Materials
	// Pulled is what stage 14 fetched before its container, Before how many steps
	// that took.
	Pulled *Pulled
	Before int
}

// prepare gets the files ready that stage s builds with. They are kept, so only
// the first time takes long.
func prepare(ctx context.Context, l *sandbox.Lab, store *image.Store, s Stage) (Materials, error) {
	host, err := os.Hostname()
	if err != nil {
		return Materials{}, fmt.Errorf("read the machine's name: %w", err)
	}
	m := Materials{Materials: buildup.Materials{Features: l.Features, Host: host}}
	m.Map()
	if s.Number() < chroot.Number() {
		return m, nil
	}
	img, err := builtIn(ctx, store)
	if err != nil {
		return m, err
	}
	o := buildup.OwnerOf(l.Features, s.Number() >= user.Number() && user.Lacks(l.Features) == nil)
	m.Config, m.Owner = img.Config, o
	if l.Features.HaveController("io") == nil {
		m.Disk, _ = sandbox.DiskUnder(l.Dirs.Data) // stage 10 says why there is none
	}
	if s.Number() >= privileges.Number() {
		filter, err := profile.Default(buildup.Capabilities, l.Features.Kernel)
		if err != nil {
			return m, err
		}
		m.Seccomp = &filter
	}
	if s.Number() >= imageStage.Number() {
		if m.Layers, err = store.Unpack(ctx, img, o); err == nil && l.Features.Root() {
			m.User, err = image.FindUser(m.Layers, img.Config.User)
		}
		return m, err
	}
	m.Tree, err = flatten(ctx, l, store, img, o)
	m.Lower = m.Tree
	return m, err
}

// builtIn gives the embedded image. It is put into the store the first time, and
// again where an older program has left its own.
func builtIn(ctx context.Context, images *image.Store) (*image.Image, error) {
	img, err := images.Get(image.BuiltInRef)
	if err == nil && !store.Outdated(img) || err != nil && !errors.Is(err, image.ErrNotFound) {
		return img, err
	}
	embedded, err := image.BuiltIn()
	if err != nil {
		return nil, err
	}
	return images.Add(ctx, image.BuiltInRef, embedded)
}

// flatten gives a directory with all layers of img applied, making it the first
// time.
func flatten(ctx context.Context, l *sandbox.Lab, store *image.Store, img *image.Image, o image.Owner) (tree string, err error) {
	dir := filepath.Join(l.Dirs.Data, "trees")
	tree = filepath.Join(dir, fmt.Sprintf("%.12s-%d", img.Digest[len("sha256:"):], o.UIDBase))
	if _, err := os.Stat(tree); err == nil {
		return tree, nil
	}
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return "", fmt.Errorf("make a place for root filesystems: %w", err)
	}
	fresh, err := l.NewPlace("tree-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, fresh.Remove()) }()
	root := filepath.Join(fresh.Dir, "root")
	if err := store.Flatten(ctx, img, o, root); err != nil {
		return "", err
	}
	err = os.Rename(root, tree)
	if errors.Is(err, fs.ErrExist) { // another cutaway was quicker
		return tree, nil
	}
	return tree, err
}
