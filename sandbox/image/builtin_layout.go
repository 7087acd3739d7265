package image

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// WriteLayout writes img as an OCI image layout (image-spec image-layout.md)
// in one tar archive: the form in which it is embedded.
func WriteLayout(w io.Writer, img v1.Image) error {
	idx, err := indexOf(img)
	if err != nil {
		return err
	}
	index, err := idx.RawManifest()
	if err != nil {
		return err
	}
	blobs, err := blobsOf(img)
	if err != nil {
		return err
	}
	return writeArchive(w, append(blobs,
		entry{Header: tar.Header{Typeflag: tar.TypeReg, Name: "index.json", Mode: 0o644}, body: index},
		entry{Header: tar.Header{Typeflag: tar.TypeReg, Name: "oci-layout", Mode: 0o644},
			body: []byte(`{"imageLayoutVersion":"1.0.0"}`)}))
}

// blobsOf gives the manifest, the config and the layers of an image.
func blobsOf(img v1.Image) ([]entry, error) {
	var entries []entry
	add := func(digest v1.Hash, body []byte, err error) error {
		entries = append(entries, entry{Header: tar.Header{Typeflag: tar.TypeReg, Name: blobName(digest), Mode: 0o644}, body: body})
		return err
	}
	digest, err := img.Digest()
	if err != nil {
		return nil, err
	}
	raw, err := img.RawManifest()
	if err := add(digest, raw, err); err != nil {
		return nil, err
	}
	if digest, err = img.ConfigName(); err != nil {
		return nil, err
	}
	raw, err = img.RawConfigFile()
	if err := add(digest, raw, err); err != nil {
		return nil, err
	}
	layers, err := img.Layers()
	if err != nil {
		return nil, err
	}
	for _, layer := range layers {
		digest, err := layer.Digest()
		if err != nil {
			return nil, err
		}
		content, err := layer.Compressed()
		if err != nil {
			return nil, err
		}
		raw, err := io.ReadAll(content)
		if err := add(digest, raw, errors.Join(err, content.Close())); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

func blobName(digest v1.Hash) string { return "blobs/" + digest.Algorithm + "/" + digest.Hex }

// layout is an image layout in a tar archive. A blob is a section of the
// archive, so opening the image copies nothing.
type layout struct {
	files    map[string]*io.SectionReader // by name in the archive
	manifest v1.Descriptor
}

// ReadLayout reads the image in a file that WriteLayout wrote: the built-in one
// for another architecture, say.
func ReadLayout(file string) (v1.Image, error) {
	archive, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return readLayout(bytes.NewReader(archive))
}

// readLayout opens the image of an archive that WriteLayout wrote.
func readLayout(archive io.ReaderAt) (v1.Image, error) {
	l, err := openLayout(archive)
	if err != nil {
		return nil, err
	}
	return partial.CompressedToImage(l)
}

// openLayout finds the files of such an archive, and the one image in its index.
func openLayout(archive io.ReaderAt) (*layout, error) {
	l := &layout{files: map[string]*io.SectionReader{}}
	all := io.NewSectionReader(archive, 0, math.MaxInt64)
	for r := tar.NewReader(all); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read image %s: %w", BuiltInRef, err)
		}
		at, err := all.Seek(0, io.SeekCurrent) // just past the header
		if err != nil {
			return nil, err
		}
		l.files[h.Name] = io.NewSectionReader(archive, at, h.Size)
	}
	raw, err := l.read("index.json")
	if err != nil {
		return nil, err
	}
	var index v1.IndexManifest
	if err := json.Unmarshal(raw, &index); err != nil {
		return nil, fmt.Errorf("read image %s: index.json: %w", BuiltInRef, err)
	}
	if len(index.Manifests) != 1 {
		return nil, fmt.Errorf("read image %s: index.json lists %d images", BuiltInRef, len(index.Manifests))
	}
	l.manifest = index.Manifests[0]
	return l, nil
}

func (l *layout) open(name string) (*io.SectionReader, error) {
	if f, ok := l.files[name]; ok {
		return io.NewSectionReader(f, 0, f.Size()), nil
	}
	return nil, fmt.Errorf("read image %s: no file %s", BuiltInRef, name)
}

func (l *layout) read(name string) ([]byte, error) {
	f, err := l.open(name)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(f)
}

// RawManifest, RawConfigFile, MediaType and LayerByDigest make an image of it:
// partial.CompressedImageCore.
func (l *layout) RawManifest() ([]byte, error) { return l.read(blobName(l.manifest.Digest)) }

// MediaType is that of the manifest.
func (l *layout) MediaType() (types.MediaType, error) { return l.manifest.MediaType, nil }

// RawConfigFile reads the blob the manifest names as its config.
func (l *layout) RawConfigFile() ([]byte, error) {
	m, err := partial.Manifest(l)
	if err != nil {
		return nil, err
	}
	return l.read(blobName(m.Config.Digest))
}

// LayerByDigest finds a layer in the manifest.
func (l *layout) LayerByDigest(digest v1.Hash) (partial.CompressedLayer, error) {
	m, err := partial.Manifest(l)
	if err != nil {
		return nil, err
	}
	for _, d := range append(m.Layers, m.Config) {
		if d.Digest == digest {
			return &layoutLayer{layout: l, descriptor: d}, nil
		}
	}
	return nil, fmt.Errorf("read image %s: no layer %s", BuiltInRef, digest)
}

// layoutLayer is one blob of a layout.
type layoutLayer struct {
	layout     *layout
	descriptor v1.Descriptor
}

// Digest, Size and MediaType are as the manifest has them.
func (l *layoutLayer) Digest() (v1.Hash, error) { return l.descriptor.Digest, nil }

// Size is in bytes.
func (l *layoutLayer) Size() (int64, error) { return l.descriptor.Size, nil }

// MediaType tells the compression.
func (l *layoutLayer) MediaType() (types.MediaType, error) { return l.descriptor.MediaType, nil }

// Compressed opens the blob as it is.
func (l *layoutLayer) Compressed() (io.ReadCloser, error) {
	f, err := l.layout.open(blobName(l.descriptor.Digest))
	return io.NopCloser(f), err
}
