package image

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Parts are what the built-in image is made of. The image's digest is a
// function of them: no clock, no file order, no user id of the builder gets in.
type Parts struct {
	Arch    string // as GOARCH has it
	Busybox []byte // the static program
	Applets []string
	Probe   []byte // the program of cmd/probe; none: the image has no probe
}

// ReadParts reads the programs at the paths given; probe may be "".
func ReadParts(busybox, probe, arch string) (*Parts, error) {
	parts := &Parts{Arch: arch}
	var err error
	if parts.Busybox, err = os.ReadFile(busybox); err != nil {
		return nil, err
	}
	if probe != "" {
		if parts.Probe, err = os.ReadFile(probe); err != nil {
			return nil, err
		}
	}
	parts.Applets, err = applets(busybox)
	return parts, err
}

// madeAt is the time on everything in the image: one that does not move, or the
// digest would.
var madeAt = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// Image makes the image.
func (p *Parts) Image() (v1.Image, error) {
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, layer := range []struct {
		createdBy string
		entries   func() ([]entry, error)
	}{
		{"layer 1: a root file system around busybox", p.base},
		{"layer 2: change /etc/motd, delete /etc/secret, make /srv/notes opaque", p.change},
		{"layer 3: the application: a web page and two scripts", p.app},
	} {
		entries, err := layer.entries()
		if err != nil {
			return nil, err
		}
		blob, err := gzipLayer(entries)
		if err != nil {
			return nil, fmt.Errorf("make %s: %w", layer.createdBy, err)
		}
		img, err = mutate.Append(img, mutate.Addendum{
			Layer:   blob,
			History: v1.History{Created: v1.Time{Time: madeAt}, CreatedBy: layer.createdBy},
		})
		if err != nil {
			return nil, err
		}
	}
	return p.configure(img)
}

// configure says how the image wants to be run: image-spec config.md.
func (p *Parts) configure(img v1.Image) (v1.Image, error) {
	c, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	c = c.DeepCopy()
	c.Architecture, c.OS, c.Created = p.Arch, "linux", v1.Time{Time: madeAt}
	c.Config = v1.Config{
		Env: []string{
			"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			"APP=cutaway",
		},
		Cmd:          []string{"/usr/local/bin/serve"},
		User:         "app", // uid 1000, by the image's own /etc/passwd
		WorkingDir:   "/www",
		ExposedPorts: map[string]struct{}{"8080/tcp": {}},
	}
	return mutate.ConfigFile(img, c)
}

// gzipLayer packs entries into a layer blob.
func gzipLayer(entries []entry) (v1.Layer, error) {
	var archive bytes.Buffer
	if err := writeArchive(&archive, entries); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(
		func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive.Bytes())), nil },
		tarball.WithMediaType(types.OCILayer),
		tarball.WithCompressionLevel(gzip.BestCompression),
		tarball.WithCompressedCaching)
}

// indexOf lists the one image in a multi-architecture index, the shape in which
// public images come: index, manifest, config, layers.
func indexOf(img v1.Image) (v1.ImageIndex, error) {
	c, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	return mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), mutate.IndexAddendum{
		Add:        notArtifact{img},
		Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: c.OS, Architecture: c.Architecture}},
	}), nil
}

// notArtifact keeps an index from calling a container image an artifact: the
// field is optional (image-spec descriptor.md), and public images lack it.
type notArtifact struct{ v1.Image }

// ArtifactType is asked for when the image is listed in an index.
func (notArtifact) ArtifactType() (string, error) { return "", nil }
