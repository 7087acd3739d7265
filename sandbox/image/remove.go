package image

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"cutaway/sandbox/image/store"
	"cutaway/sandbox/sys"
)

// Remove takes the image ref out of the store, and with it every blob and
// unpacked layer that no other image uses. An image whose layers a container
// holds (Hold) is a BusyError, and stays.
func (s *Store) Remove(ref string) error {
	unlock, err := s.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	index, err := s.Index()
	if err != nil {
		return err
	}
	entry, err := store.Find(index, ref)
	if err != nil {
		return err
	}
	index.Manifests = slices.DeleteFunc(index.Manifests, func(d v1.Descriptor) bool {
		return d.Annotations[store.RefName] == entry.Annotations[store.RefName]
	})
	for _, dir := range s.unusedLayers(s.inUse(index)) {
		if held(dir) {
			return &BusyError{Ref: entry.Annotations[store.RefName]}
		}
	}
	if err := s.WriteIndex(index); err != nil {
		return err
	}
	return s.collect(index)
}

// held reports whether somebody holds the layer in dir.
func held(dir string) bool {
	d, err := sys.OpenDirectory(dir)
	if err != nil {
		return false
	}
	defer d.Close()
	return errors.Is(d.Flock(true), syscall.EWOULDBLOCK)
}

// usage is what the images of an index refer to.
type usage struct {
	blobs  map[string]bool // paths
	chains map[string]bool // names of layer directories
}

// inUse reads what is in use. Of an image that cannot be read, that is as much
// as can be.
func (s *Store) inUse(index *v1.IndexManifest) usage {
	u := usage{blobs: map[string]bool{}, chains: map[string]bool{}}
	for _, entry := range index.Manifests {
		img, _ := s.ReadImage(entry)
		for _, b := range img.Blobs() {
			u.blobs[b.Path] = true
		}
		for _, l := range img.Layers {
			u.chains[l.Name()] = true
		}
	}
	return u
}

// collect removes blobs and unpacked layers that no image of index uses.
// Layers that a container holds are left for the next time. The caller holds
// the store's lock.
func (s *Store) collect(index *v1.IndexManifest) error {
	use := s.inUse(index)
	for _, algorithm := range children(s.Path("layout", "blobs")) {
		for _, path := range children(algorithm) {
			if use.blobs[path] {
				continue
			}
			if err := os.Remove(path); err != nil {
				return fmt.Errorf("remove blob: %w", err)
			}
		}
	}
	for _, dir := range s.unusedLayers(use) {
		if held(dir) {
			continue
		}
		// Gone at once for everybody who looks, then removed at leisure.
		dying := filepath.Join(filepath.Dir(dir), store.TempLayer+"gone-"+filepath.Base(dir))
		if err := os.Rename(dir, dying); err != nil {
			return fmt.Errorf("remove layer: %w", err)
		}
		if err := store.RemoveTree(dying); err != nil {
			return fmt.Errorf("remove layer: %w", err)
		}
	}
	return nil
}

// unusedLayers lists the unpacked layers that no image refers to.
func (s *Store) unusedLayers(use usage) []string {
	var unused []string
	for _, owner := range children(s.Path("layers")) {
		for _, dir := range children(owner) {
			name := filepath.Base(dir)
			if !use.chains[name] && !strings.HasPrefix(name, store.TempLayer) {
				unused = append(unused, dir)
			}
		}
	}
	return unused
}

// children lists the paths of what is in dir. A directory that cannot be read,
// or is no more, has none.
func children(dir string) []string {
	entries, _ := os.ReadDir(dir)
	var paths []string
	for _, e := range entries {
		paths = append(paths, filepath.Join(dir, e.Name()))
	}
	return paths
}
