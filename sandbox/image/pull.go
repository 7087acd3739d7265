package image

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"cutaway/sandbox/image/store"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sync/errgroup"
)

// PullOptions says how to pull.
type PullOptions struct {
	Insecure bool          // allow plain HTTP and unverified TLS beyond loopback
	Platform string        // "linux/amd64"; "" is this machine
	Timeout  time.Duration // longest silence of the registry to bear; 0 is 30 s
	// Request is told of every HTTP exchange when it is over, Progress of every
	// piece of a layer that arrives. Both may be nil; both are called from
	// several goroutines at once.
	Request  func(Request)
	Progress func(Progress)
}

// Progress tells how much of a layer is here. Of one layer it is told in order.
type Progress struct {
	Digest      string
	Done, Total int64 // bytes
}

// parallel is how many layers travel, or are unpacked, at the same time. More
// than two gain nothing measurable on a fast link and starve each other on a
// slow one.
const parallel = 2

// maxNesting is how many indexes may refer to one another before a manifest.
const maxNesting = 4

// Pull fetches the image ref into the store and returns it. Layers the store
// has are not fetched again. Whatever goes wrong, the store is afterwards as it
// was before: the image appears in it whole or not at all. BuiltInRef needs no
// registry.
func (s *Store) Pull(ctx context.Context, ref string, o PullOptions) (*Image, error) {
	if ref == BuiltInRef {
		return s.addBuiltIn(ctx)
	}
	full, err := store.Canonical(ref)
	if err != nil {
		return nil, err
	}
	parsed, err := name.ParseReference(full)
	if err != nil {
		return nil, &ReferenceError{Ref: ref, Fact: firstLine(err)}
	}
	p := &pull{store: s, ref: full, options: o, machine: o.Platform == ""}
	if p.want, err = wanted(o.Platform); err != nil {
		return nil, err
	}
	img, err := p.run(ctx, parsed)
	if err != nil {
		return nil, fmt.Errorf("pull %s: %w", p.ref, store.WithSpace(s.Dir(), err))
	}
	return img, nil
}

// pull is one Pull under way.
type pull struct {
	store   *Store
	ref     string
	options PullOptions
	want    v1.Platform
	machine bool // want is this machine
	session *session
	staging *staging
}

func (p *pull) run(ctx context.Context, ref name.Reference) (*Image, error) {
	session, end, err := openSession(ctx, ref, p.options)
	defer end()
	if err != nil {
		return nil, err
	}
	p.session = session
	if p.staging, err = p.store.stage(); err != nil {
		return nil, err
	}
	defer p.staging.discard()

	entry, manifest, err := p.resolve(ctx, ref)
	if err != nil {
		return nil, err
	}
	if err := p.config(ctx, manifest); err != nil {
		return nil, err
	}
	if err := p.layers(ctx, manifest); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	return p.staging.commit(entry)
}

// resolve follows ref to the manifest for the platform, through an index where
// there is one, and returns the entry for the store's own index.
func (p *pull) resolve(ctx context.Context, ref name.Reference) (entry v1.Descriptor, m *v1.Manifest, err error) {
	raw, d, err := p.session.manifest(ctx, ref.Identifier(), nil)
	if err != nil {
		return entry, nil, err
	}
	top := d
	for depth := 0; d.MediaType.IsIndex(); depth++ {
		if depth == maxNesting {
			return entry, nil, &store.LimitError{What: "index " + top.Digest.String(), Limit: maxNesting, Unit: "nested indexes"}
		}
		if err := p.keep(d, raw, "index"); err != nil {
			return entry, nil, err
		}
		index, err := store.ParseIndex(raw)
		if err != nil {
			return entry, nil, err
		}
		next, err := choose(p.ref, index, p.want, p.machine)
		if err != nil {
			return entry, nil, err
		}
		if raw, d, err = p.session.manifest(ctx, next.Digest.String(), &next); err != nil {
			return entry, nil, err
		}
	}
	if !d.MediaType.IsImage() {
		return entry, nil, fmt.Errorf("read manifest %s: its media type is %s: not an image this program knows", d.Digest, d.MediaType)
	}
	if m, err = store.ParseManifest(raw); err != nil {
		return entry, nil, err
	}
	return newEntry(p.ref, d, top), m, p.keep(d, raw, "manifest")
}

// keep stages a document that is in memory already.
func (p *pull) keep(d v1.Descriptor, raw []byte, what string) error {
	return p.staging.addFrom(d, bytes.NewReader(raw), what)
}

// config fetches the config and refuses the image if it is for another
// platform, before the layers are fetched for nothing.
func (p *pull) config(ctx context.Context, m *v1.Manifest) error {
	if err := p.fetch(ctx, m.Config, "config", nil); err != nil {
		return err
	}
	raw, err := p.staging.read(m.Config)
	if err != nil {
		return err
	}
	c, err := store.ParseConfig(raw)
	if err != nil {
		return err
	}
	if err := checkPlatform(p.ref, c, p.want, p.machine); err != nil {
		return err
	}
	_, err = store.PairLayers(p.ref, m, c)
	return err
}

// layers fetches the layers, some at a time.
func (p *pull) layers(ctx context.Context, m *v1.Manifest) error {
	var todo []v1.Descriptor
	for _, d := range m.Layers {
		if err := checkLayerKind(d); err != nil {
			return err
		}
		same := func(o v1.Descriptor) bool { return o.Digest == d.Digest }
		if !slices.ContainsFunc(todo, same) { // an image may hold the same layer twice
			todo = append(todo, d)
		}
	}
	fetches, ctx := errgroup.WithContext(ctx)
	fetches.SetLimit(parallel)
	for _, d := range todo {
		fetches.Go(func() error { return p.fetch(ctx, d, "layer", p.progress(d)) })
	}
	return fetches.Wait()
}

// progress returns what to tell of how many bytes of d are here.
func (p *pull) progress(d v1.Descriptor) func(done int64) {
	if p.options.Progress == nil {
		return nil
	}
	return func(done int64) {
		p.options.Progress(Progress{Digest: d.Digest.String(), Done: done, Total: d.Size})
	}
}

// fetch stages the blob d, from the store if it is there.
func (p *pull) fetch(ctx context.Context, d v1.Descriptor, what string, progress func(int64)) error {
	if p.staging.has(d.Digest) || p.staging.reuse(d) {
		if progress != nil {
			progress(d.Size)
		}
		return nil
	}
	body, err := p.session.blob(ctx, d, what)
	if err != nil {
		return err
	}
	defer body.Close()
	err = p.staging.add(d, body, progress)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// layerKinds are the media types of layers: image-spec layer.md, and what
// docker calls the same. How a layer is compressed is told by its first bytes.
var layerKinds = []types.MediaType{
	types.OCILayer, types.OCILayerZStd, types.OCIUncompressedLayer,
	types.DockerLayer, types.DockerUncompressedLayer, types.DockerUncompressedLayer + ".zstd",
}

// checkLayerKind refuses what is no layer, and layers that must not be
// redistributed: no registry serves those, and only Windows images have them.
func checkLayerKind(d v1.Descriptor) error {
	kind := string(d.MediaType)
	if strings.Contains(kind, ".nondistributable.") || strings.Contains(kind, ".foreign.") {
		return fmt.Errorf("fetch layer %s: %s: non-distributable layers are not fetched", d.Digest, kind)
	}
	if !slices.Contains(layerKinds, d.MediaType) {
		return fmt.Errorf("fetch layer %s: %s: not the media type of a layer", d.Digest, kind)
	}
	return nil
}
