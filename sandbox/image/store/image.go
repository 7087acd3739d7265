// Package store reads the images that are kept on this machine: what they are,
// and where their layers lie unpacked.
//
// Its one invariant: what it hands out of an image was compared, digest and
// size, with what refers to it, and a layer's directory has all of the layer. It
// fetches and unpacks nothing, so that a program that only runs what is here
// need not link a registry's client; package image does both.
//
// Read this file for what an image is; then reference.go (names), store.go (how
// images are kept), layers.go and lookup.go (unpacked layers).
package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Image is an image in a Store.
type Image struct {
	Ref       string // full reference: docker.io/library/busybox:latest
	Digest    string // of the manifest, "sha256:..."
	MediaType string // of the manifest
	Platform  string // "linux/amd64", from the config
	Created   time.Time
	Layers    []Layer // the base first
	Config    Config

	blobs []Blob
}

// Layer is one layer of an image.
type Layer struct {
	Digest    string // of the blob as it travels, usually compressed
	DiffID    string // of the tar archive inside
	ChainID   string // of this layer on the ones below: image-spec config.md, "Layer ChainID"
	MediaType string
	Size      int64  // bytes of the blob
	CreatedBy string // the build step that made it, where the config tells
}

// Config is how the image's author wants it run: image-spec config.md.
type Config struct {
	Env          []string // NAME=value
	Entrypoint   []string
	Cmd          []string // arguments of Entrypoint, or the whole command
	User         string   // user[:group], names or numbers
	WorkingDir   string
	ExposedPorts []string // "80/tcp"
	Volumes      []string
	StopSignal   string
	Labels       map[string]string
	History      []History // oldest first
}

// History is one build step.
type History struct {
	Created    time.Time
	CreatedBy  string
	Comment    string
	EmptyLayer bool // the step changed the config only
}

// Blob is one content-addressed file of an image, sized as it lies in the store.
type Blob struct {
	Role      string // "index", "manifest", "config" or "layer"
	Digest    string
	MediaType string
	Size      int64  // bytes
	Path      string // in the store
}

// Blobs lists the files the image consists of: the index it came from, if any,
// the manifest, the config and the layers from the base up.
func (i *Image) Blobs() []Blob { return slices.Clone(i.blobs) }

// ReadImage reads the image that entry of the store's index refers to. Index,
// manifest and config are verified here, layers when they are unpacked: here
// only their presence and size. With an error comes what could be read.
func (s *Store) ReadImage(entry v1.Descriptor) (*Image, error) {
	img := &Image{
		Ref: entry.Annotations[RefName], Digest: entry.Digest.String(), MediaType: string(entry.MediaType),
	}
	if text := entry.Annotations[IndexDigest]; text != "" {
		if err := s.loadIndex(img, text); err != nil {
			return img, err
		}
	}
	img.addBlob(s, "manifest", entry)
	raw, err := s.readBlob(entry, "manifest")
	if err != nil {
		return img, err
	}
	manifest, err := ParseManifest(raw)
	if err != nil {
		return img, err
	}
	img.addBlob(s, "config", manifest.Config)
	for _, d := range manifest.Layers {
		img.addBlob(s, "layer", d)
	}
	if raw, err = s.readBlob(manifest.Config, "config"); err != nil {
		return img, err
	}
	config, err := ParseConfig(raw)
	if err != nil {
		return img, err
	}
	if img.Layers, err = PairLayers(img.Digest, manifest, config); err != nil {
		return img, err
	}
	img.setConfig(config)
	for _, d := range manifest.Layers {
		if err := s.checkPresent(d); err != nil {
			return img, err
		}
	}
	return img, nil
}

// loadIndex adds the multi-architecture index the image was chosen from.
func (s *Store) loadIndex(img *Image, digest string) error {
	d := v1.Descriptor{MediaType: types.OCIImageIndex}
	var err error
	if d.Digest, err = v1.NewHash(digest); err != nil {
		return fmt.Errorf("parse digest %q: %w", digest, err)
	}
	info, err := os.Stat(s.BlobPath(d.Digest))
	if err != nil {
		return s.missing(d, err)
	}
	d.Size = info.Size()
	raw, err := s.readBlob(d, "index")
	if err != nil {
		return err
	}
	index, err := ParseIndex(raw)
	if err != nil {
		return err
	}
	if index.MediaType != "" {
		d.MediaType = index.MediaType
	}
	img.addBlob(s, "index", d)
	return nil
}

func (i *Image) addBlob(s *Store, role string, d v1.Descriptor) {
	i.blobs = append(i.blobs, Blob{
		Role: role, Digest: d.Digest.String(), MediaType: string(d.MediaType), Size: d.Size, Path: s.BlobPath(d.Digest),
	})
}

// PairLayers pairs the manifest's layers with the config's diff IDs and with
// those steps of the history that made one. image is for errors.
func PairLayers(image string, m *v1.Manifest, c *v1.ConfigFile) ([]Layer, error) {
	if len(m.Layers) != len(c.RootFS.DiffIDs) {
		return nil, fmt.Errorf("read image %s: manifest lists %d layers, config %d", image, len(m.Layers), len(c.RootFS.DiffIDs))
	}
	var steps []string
	for _, h := range c.History {
		if !h.EmptyLayer {
			steps = append(steps, h.CreatedBy)
		}
	}
	var layers []Layer
	var chain v1.Hash
	for n, d := range m.Layers {
		diff := c.RootFS.DiffIDs[n]
		chain = chainID(chain, diff)
		l := Layer{
			Digest: d.Digest.String(), DiffID: diff.String(), ChainID: chain.String(),
			MediaType: string(d.MediaType), Size: d.Size,
		}
		if len(steps) == len(m.Layers) {
			l.CreatedBy = steps[n]
		}
		layers = append(layers, l)
	}
	return layers, nil
}

// chainID identifies a layer together with all layers below it, whose chain ID
// is parent (zero at the bottom): image-spec config.md, "Layer ChainID".
func chainID(parent, diff v1.Hash) v1.Hash {
	if parent.Hex == "" {
		return diff
	}
	// Hashing a string in memory cannot fail.
	h, _, _ := v1.SHA256(bytes.NewReader([]byte(parent.String() + " " + diff.String())))
	return h
}

func (i *Image) setConfig(c *v1.ConfigFile) {
	i.Platform = PlatformOf(c).String()
	i.Created = c.Created.Time
	i.Config = Config{
		Env: c.Config.Env, Entrypoint: c.Config.Entrypoint, Cmd: c.Config.Cmd,
		User: c.Config.User, WorkingDir: c.Config.WorkingDir,
		ExposedPorts: slices.Sorted(maps.Keys(c.Config.ExposedPorts)),
		Volumes:      slices.Sorted(maps.Keys(c.Config.Volumes)),
		StopSignal:   c.Config.StopSignal, Labels: c.Config.Labels,
	}
	for _, h := range c.History {
		i.Config.History = append(i.Config.History, History{
			Created: h.Created.Time, CreatedBy: h.CreatedBy, Comment: h.Comment, EmptyLayer: h.EmptyLayer,
		})
	}
}

// ParseManifest reads an image manifest. A document that could also be read as
// an index is refused: its meaning would depend on a header that no digest
// covers (image-spec, CVE-2021-41190).
func ParseManifest(raw []byte) (*v1.Manifest, error) {
	var both struct {
		v1.Manifest
		Manifests json.RawMessage `json:"manifests"`
	}
	if err := json.Unmarshal(raw, &both); err != nil {
		return nil, fmt.Errorf("parse manifest: %w", err)
	}
	if both.Manifests != nil {
		return nil, fmt.Errorf("parse manifest: it lists manifests as well: ambiguous document refused")
	}
	if both.Config.Digest.Hex == "" {
		return nil, fmt.Errorf("parse manifest: it names no config: not an image")
	}
	return &both.Manifest, nil
}

// ParseIndex reads an image index, with the same care.
func ParseIndex(raw []byte) (*v1.IndexManifest, error) {
	var both struct {
		v1.IndexManifest
		Layers json.RawMessage `json:"layers"`
		Config json.RawMessage `json:"config"`
	}
	if err := json.Unmarshal(raw, &both); err != nil {
		return nil, fmt.Errorf("parse index: %w", err)
	}
	if both.Layers != nil || both.Config != nil {
		return nil, fmt.Errorf("parse index: it lists layers as well: ambiguous document refused")
	}
	return &both.IndexManifest, nil
}

// ParseConfig reads an image config.
func ParseConfig(raw []byte) (*v1.ConfigFile, error) {
	c, err := v1.ParseConfigFile(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("parse image config: %w", err)
	}
	return c, nil
}

// PlatformOf is the platform a config says it is for.
func PlatformOf(c *v1.ConfigFile) v1.Platform {
	return v1.Platform{OS: c.OS, Architecture: c.Architecture, Variant: c.Variant}
}
