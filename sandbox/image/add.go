package image

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"cutaway/sandbox/image/store"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
)

// Add puts an image that is no registry's into the store under ref: the
// built-in one, or one just made. It is verified like any other.
func (s *Store) Add(ctx context.Context, ref string, img v1.Image) (*Image, error) {
	full, err := store.Canonical(ref)
	if err != nil {
		return nil, err
	}
	t, err := s.stage()
	if err != nil {
		return nil, err
	}
	defer t.discard()
	entry, err := t.addImage(ctx, img)
	if err != nil {
		return nil, fmt.Errorf("add image %s: %w", full, store.WithSpace(s.Dir(), err))
	}
	added, err := t.commit(newEntry(full, entry, entry))
	if err != nil {
		return nil, fmt.Errorf("add image %s: %w", full, store.WithSpace(s.Dir(), err))
	}
	return added, nil
}

// addBuiltIn puts the embedded image into the store.
func (s *Store) addBuiltIn(ctx context.Context) (*Image, error) {
	img, err := BuiltIn()
	if err != nil {
		return nil, err
	}
	return s.Add(ctx, BuiltInRef, img)
}

// addImage stages manifest, config and layers of img and returns the
// descriptor of the manifest.
func (t *staging) addImage(ctx context.Context, img v1.Image) (v1.Descriptor, error) {
	var none v1.Descriptor
	m, err := img.Manifest()
	if err != nil {
		return none, err
	}
	for _, d := range m.Layers {
		if err := checkLayerKind(d); err != nil {
			return none, err
		}
		layer, err := img.LayerByDigest(d.Digest)
		if err != nil {
			return none, err
		}
		if err := t.addLayer(ctx, d, layer); err != nil {
			return none, err
		}
	}
	raw, err := img.RawConfigFile()
	if err == nil {
		err = t.addFrom(m.Config, bytes.NewReader(raw), "config")
	}
	if err != nil {
		return none, err
	}
	d, err := partial.Descriptor(img)
	if err != nil {
		return none, err
	}
	if raw, err = img.RawManifest(); err != nil {
		return none, err
	}
	entry := v1.Descriptor{MediaType: d.MediaType, Digest: d.Digest, Size: d.Size}
	return entry, t.addFrom(entry, bytes.NewReader(raw), "manifest")
}

func (t *staging) addLayer(ctx context.Context, d v1.Descriptor, l v1.Layer) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if t.has(d.Digest) || t.reuse(d) {
		return nil
	}
	body, err := l.Compressed()
	if err != nil {
		return err
	}
	defer body.Close()
	return t.addFrom(d, body, "layer")
}

// addFrom is add for content that was not verified yet.
func (t *staging) addFrom(d v1.Descriptor, from io.Reader, what string) error {
	if t.has(d.Digest) {
		return nil
	}
	v, err := store.Verify(from, d, what, "memory")
	if err != nil {
		return err
	}
	return t.add(d, v, nil)
}
