package image

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"cutaway/sandbox/image/store"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	ocilayout "github.com/google/go-containerregistry/pkg/v1/layout"
)

// containerdName is where docker save has the whole name; store.RefName has only the
// tag then.
const containerdName = "io.containerd.image.name"

// LayoutError says that images cannot be taken from a directory.
type LayoutError struct {
	Dir, Advice string
	err         error
}

func (e *LayoutError) Error() string { return "load images from " + e.Dir + ": " + e.err.Error() }
func (e *LayoutError) Unwrap() error { return e.err }

// Hint says what would help.
func (e *LayoutError) Hint() string { return e.Advice }

// Save writes the image ref of the store as an OCI image layout (image-spec
// image-layout.md) into dir, which it makes. On an error nothing is left of it.
func (s *Store) Save(ref, dir string) (err error) {
	img, err := s.Get(ref)
	if err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return fmt.Errorf("save image %s: %w", img.Ref, err)
	}
	defer func() {
		if err != nil {
			os.RemoveAll(dir) // the first error is the one to tell
			err = fmt.Errorf("save image %s in %s: %w", img.Ref, dir, err)
		}
	}()
	digest, err := v1.NewHash(img.Digest)
	if err != nil {
		return err
	}
	from, err := ocilayout.FromPath(s.Path("layout"))
	if err != nil {
		return err
	}
	image, err := from.Image(digest)
	if err != nil {
		return err
	}
	to, err := ocilayout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	return to.AppendImage(image, ocilayout.WithAnnotations(map[string]string{store.RefName: img.Ref}))
}

// Load puts the images of the layout in dir into the store: all of them by their
// names there, or the only one under ref, unless that is "". They are verified
// like others. Of an image for several platforms it takes that for this machine.
func (s *Store) Load(ctx context.Context, dir, ref string) (loaded []*Image, err error) {
	index, err := layoutIndex(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &LayoutError{dir, "an image layout has index.json and blobs in it: skopeo copy docker://alpine oci:DIR:alpine makes one, and so does docker save alpine | tar -x -C DIR", err}
	}
	if err != nil {
		return nil, &LayoutError{Dir: dir, err: err}
	}
	list, err := index.IndexManifest()
	if err != nil {
		return nil, &LayoutError{Dir: dir, err: err}
	}
	if len(list.Manifests) == 0 {
		return nil, &LayoutError{Dir: dir, err: errors.New("its index.json lists no image")}
	}
	if ref != "" && len(list.Manifests) != 1 {
		return nil, &LayoutError{dir, "without a name they are loaded by those they have", fmt.Errorf("%d images, and one name", len(list.Manifests))}
	}
	for _, d := range list.Manifests {
		name := cmp.Or(ref, d.Annotations[containerdName], d.Annotations[store.RefName])
		if name == "" {
			return loaded, &LayoutError{dir, "give it one: cutaway load DIR NAME", fmt.Errorf("image %s has no name", d.Digest)}
		}
		img, err := s.loadOne(ctx, index, d, name)
		if err != nil {
			return loaded, &LayoutError{Dir: dir, err: err}
		}
		loaded = append(loaded, img)
	}
	return loaded, nil
}

// layoutIndex opens the layout in dir, which may come from anybody: a link or a
// pipe in place of its index.json could lead anywhere and have no end.
func layoutIndex(dir string) (v1.ImageIndex, error) {
	path := filepath.Join(dir, "index.json")
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	if info.Size() > store.MaxManifest {
		return nil, &store.LimitError{What: path, Limit: store.MaxManifest, Unit: "bytes"}
	}
	return ocilayout.ImageIndexFromPath(dir)
}

// loadOne follows d to the manifest for this machine and adds that.
func (s *Store) loadOne(ctx context.Context, index v1.ImageIndex, d v1.Descriptor, ref string) (*Image, error) {
	want, err := wanted("")
	if err != nil {
		return nil, err
	}
	for depth := 0; d.MediaType.IsIndex(); depth++ {
		if depth == maxNesting {
			return nil, &store.LimitError{What: "index " + d.Digest.String(), Limit: maxNesting, Unit: "nested indexes"}
		}
		if index, err = index.ImageIndex(d.Digest); err != nil {
			return nil, err
		}
		list, err := index.IndexManifest()
		if err != nil {
			return nil, err
		}
		if d, err = choose(ref, list, want, true); err != nil {
			return nil, err
		}
	}
	img, err := index.Image(d.Digest)
	if err != nil {
		return nil, err
	}
	raw, err := img.RawConfigFile()
	if err != nil {
		return nil, err
	}
	config, err := store.ParseConfig(raw)
	if err != nil {
		return nil, err
	}
	if err := checkPlatform(ref, config, want, true); err != nil {
		return nil, err
	}
	return s.Add(ctx, ref, img)
}
