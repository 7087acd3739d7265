package stages

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"cutaway/sandbox"
	"cutaway/sandbox/features"
	"cutaway/sandbox/image"
	"cutaway/sandbox/op"
	"cutaway/sandbox/profile"
)

// Materials are what stages build with: facts about the machine, and files that
// are the same for every container.
type Materials struct {
	Features features.Features
	// Tree is a root filesystem as a plain directory, Lower the same as the one
	// lower layer of an overlay; both are owned by the ids of Owner.
	Tree  string
	Lower string
	// Layers are the image's layers as directories, topmost first, and Config is
	// what the image says of how to run it.
	Layers []string
	Config image.Config
	User   image.User // whom Config names, by the image's own passwd file
	// UIDMappings and GIDMappings are the user namespace's, Owner says who owns
	// files under them.
	UIDMappings, GIDMappings []op.IDMapping
	Owner                    image.Owner
	Seccomp                  *op.SeccompProfile // the filter of stage 12 and later
	// Disk is what the lab's files lie on, as major:minor; "" if its traffic
	// cannot be limited here.
	Disk string
	Host string // the machine's own name
	// Pulled is what stage 14 fetched before its container, Before how many steps
	// that took.
	Pulled *Pulled
	Before int
}

// mappings gives the maps of users and groups: ids that belong to nobody for
// root, and only their own for an ordinary user, who may map no other.
func mappings(f features.Features) (uids, gids []op.IDMapping) {
	toRoot := func(first, count int) []op.IDMapping {
		return []op.IDMapping{{ContainerID: 0, HostID: first, Size: count}}
	}
	if f.Root() {
		return toRoot(f.IDs.First, f.IDs.Count), toRoot(f.IDs.First, f.IDs.Count)
	}
	return toRoot(f.EUID, 1), toRoot(f.EGID, 1)
}

// owner says whose files a root filesystem is made of: with a user namespace,
// those its root is mapped to.
func owner(f features.Features, withUserNS bool) image.Owner {
	if !f.Root() || f.IDs.Count == 1 {
		return image.Owner{Squash: true}
	}
	if withUserNS {
		return image.Owner{UIDBase: f.IDs.First, GIDBase: f.IDs.First}
	}
	return image.Owner{}
}

// prepare gets the files ready that stage s builds with. They are kept, so only
// the first time takes long.
func prepare(ctx context.Context, l *sandbox.Lab, store *image.Store, s Stage) (Materials, error) {
	host, err := os.Hostname()
	if err != nil {
		return Materials{}, fmt.Errorf("read the machine's name: %w", err)
	}
	m := Materials{Features: l.Features, Host: host}
	m.UIDMappings, m.GIDMappings = mappings(l.Features)
	if s.Number() < chroot.Number() {
		return m, nil
	}
	img, err := builtIn(ctx, store)
	if err != nil {
		return m, err
	}
	o := owner(l.Features, s.Number() >= user.Number() && user.Lacks(l.Features) == nil)
	m.Config, m.Owner = img.Config, o
	if l.Features.HaveController("io") == nil {
		m.Disk, _ = sandbox.DiskUnder(l.Dirs.Data) // stage 10 says why there is none
	}
	if s.Number() >= privileges.Number() {
		filter, err := profile.Default(Capabilities, l.Features.Kernel)
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
func builtIn(ctx context.Context, store *image.Store) (*image.Image, error) {
	digest := image.BuiltInDigest()
	img, err := store.Get(image.BuiltInRef)
	current := err == nil && (digest == "" || img.Digest == digest)
	if current || err != nil && !errors.Is(err, image.ErrNotFound) {
		return img, err
	}
	embedded, err := image.BuiltIn()
	if err != nil {
		return nil, err
	}
	return store.Add(ctx, image.BuiltInRef, embedded)
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
