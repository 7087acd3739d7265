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

	"cutaway/sandbox/sys"
)

// Remove takes the image ref out of the store, and with it every blob and
// unpacked layer that no other image uses. An image whose layers a container
// holds (Hold) is a BusyError, and stays.
func (s *Store) Remove(ref string) error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	index, err := s.index()
	if err != nil {
		return err
	}
	entry, err := find(index, ref)
	if err != nil {
		return err
	}
	index.Manifests = slices.DeleteFunc(index.Manifests, func(d v1.Descriptor) bool {
		return d.Annotations[refName] == entry.Annotations[refName]
	})
	for _, dir := range s.unusedLayers(s.inUse(index)) {
		if held(dir) {
			return &BusyError{Ref: entry.Annotations[refName]}
		}
	}
	if err := s.writeIndex(index); err != nil {
		return err
	}
	return s.collect(index)
}

// Hold keeps Remove away from the layer directories that a container mounts,
// until release is called or the process ends.
func (s *Store) Hold(lowers []string) (release func(), err error) {
	var fds []sys.FD
	release = func() {
		for _, d := range fds {
			d.Close()
		}
	}
	for _, dir := range lowers {
		d, err := sys.OpenDirectory(dir)
		if err == nil {
			fds = append(fds, d)
			err = d.Flock(false)
		}
		if err != nil {
			release()
			return nil, fmt.Errorf("hold layer %s: %w", dir, err)
		}
	}
	return release, nil
}

// held reports whether somebody holds the layer in dir.
func held(dir string) bool {
	d, err := sys.OpenDirectory(dir)
	if err != nil {
		return false
	}
	defer d.Close()
	return wouldBlock(d.Flock(true))
}

// wouldBlock reports whether err means that somebody else holds a lock.
func wouldBlock(err error) bool { return errors.Is(err, syscall.EWOULDBLOCK) }

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
		img, _ := s.load(entry)
		for _, b := range img.blobs {
			u.blobs[b.Path] = true
		}
		for _, l := range img.Layers {
			u.chains[layerName(l)] = true
		}
	}
	return u
}

// collect removes blobs and unpacked layers that no image of index uses.
// Layers that a container holds are left for the next time. The caller holds
// the store's lock.
func (s *Store) collect(index *v1.IndexManifest) error {
	use := s.inUse(index)
	for _, algorithm := range children(s.path("layout", "blobs")) {
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
		dying := filepath.Join(filepath.Dir(dir), tempLayer+"gone-"+filepath.Base(dir))
		if err := os.Rename(dir, dying); err != nil {
			return fmt.Errorf("remove layer: %w", err)
		}
		if err := removeTree(dying); err != nil {
			return fmt.Errorf("remove layer: %w", err)
		}
	}
	return nil
}

// unusedLayers lists the unpacked layers that no image refers to.
func (s *Store) unusedLayers(use usage) []string {
	var unused []string
	for _, owner := range children(s.path("layers")) {
		for _, dir := range children(owner) {
			name := filepath.Base(dir)
			if !use.chains[name] && !strings.HasPrefix(name, tempLayer) {
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

// removeTree removes a tree of any permissions: an ordinary user cannot empty
// a directory of mode 0555, though it is his own.
func removeTree(dir string) error {
	err := os.RemoveAll(dir)
	if !errors.Is(err, os.ErrPermission) {
		return err
	}
	err = filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if e == nil || !e.IsDir() {
			return nil
		}
		// WalkDir comes by before it reads the directory.
		return os.Chmod(path, 0o700)
	})
	return errors.Join(err, os.RemoveAll(dir))
}
