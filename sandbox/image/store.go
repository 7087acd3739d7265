package image

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"cutaway/sandbox/sys"
)

// Store keeps images in a directory:
//
//	layout/   an OCI image layout (image-spec image-layout.md): other tools read it
//	layers/   unpacked layers: layers/OWNER/CHAINID (hexadecimal)
//	tmp/      what is being pulled; empty otherwise
//
// Any number of processes may use the same directory. Whoever changes the
// layout's index holds a flock(2) on the directory; everything becomes visible
// by rename(2). Files are not fsynced: after a power failure a blob may be
// damaged, which verification notices, or an unpacked layer, which it does not.
type Store struct {
	// Note is told of what unpacking left out, such as a device node; it may
	// be nil. It is called from several goroutines.
	Note func(string)

	dir string
}

// Annotations of the entries in the layout's index.
const (
	refName     = "org.opencontainers.image.ref.name" // image-spec annotations.md
	indexDigest = "cutaway.index"                     // the index the manifest was chosen from
)

// Open opens the store in dir, making it if need be. Others may search the
// directory but not list it: a container whose root is another user must get
// through to its layers.
func Open(dir string) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find store directory: %w", err)
	}
	s := &Store{dir: dir}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, fmt.Errorf("make store: %w", err)
	}
	for path, mode := range map[string]fs.FileMode{
		"": 0o711, "layers": 0o711, "layout": 0o700, "layout/blobs": 0o700, "tmp": 0o700,
	} {
		if err := os.MkdirAll(filepath.Join(dir, path), mode); err != nil {
			return nil, fmt.Errorf("make store: %w", withSpace(dir, err))
		}
	}
	for _, path := range []string{dir, s.path("layers")} {
		if err := searchable(path); err != nil {
			return nil, fmt.Errorf("make store: %w", err)
		}
	}
	unlock, err := s.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := s.initLayout(); err != nil {
		return nil, fmt.Errorf("make store: %w", withSpace(dir, err))
	}
	return s, s.sweep()
}

// searchable lets everybody pass through dir; the umask may have taken that.
func searchable(dir string) error {
	const search = 0o111
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm()&search == search {
		return err
	}
	return os.Chmod(dir, info.Mode().Perm()|search)
}

// initLayout writes the two files that make a directory an image layout.
func (s *Store) initLayout() error {
	if _, err := os.Stat(s.path("layout", "index.json")); err == nil {
		return nil
	}
	if err := writeFile(s.path("layout", "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`)); err != nil {
		return err
	}
	return s.writeIndex(&v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{}})
}

// writeIndex replaces the list of images.
func (s *Store) writeIndex(index *v1.IndexManifest) error {
	raw, err := json.MarshalIndent(index, "", "  ")
	if err != nil {
		return fmt.Errorf("write index of the store: %w", err)
	}
	return writeFile(s.path("layout", "index.json"), raw)
}

// writeFile makes or replaces a file as a whole.
func writeFile(path string, data []byte) error {
	temp := path + ".new"
	err := os.WriteFile(temp, data, 0o644)
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		os.Remove(temp) // the first error is the one to tell
	}
	return err
}

// Dir is the directory of the store.
func (s *Store) Dir() string { return s.dir }

func (s *Store) path(elem ...string) string {
	return filepath.Join(append([]string{s.dir}, elem...)...)
}

func (s *Store) blobPath(h v1.Hash) string { return s.path("layout", "blobs", h.Algorithm, h.Hex) }

// lockWait is how long to wait for the store's lock. It is held for renames and
// removals, never while something is fetched or unpacked.
const lockWait = time.Minute

// lock waits for the store's lock.
func (s *Store) lock() (unlock func(), err error) {
	d, err := sys.OpenDirectory(s.dir)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", s.dir, err)
	}
	for start := time.Now(); ; {
		switch err := d.Flock(true); {
		case err == nil:
			return func() { d.Close() }, nil
		case !wouldBlock(err) || time.Since(start) > lockWait:
			d.Close()
			return nil, fmt.Errorf("lock store %s: %w", s.dir, named(err))
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// index reads the list of images.
func (s *Store) index() (*v1.IndexManifest, error) {
	raw, err := os.ReadFile(s.path("layout", "index.json"))
	if err != nil {
		return nil, fmt.Errorf("read index of the store: %w", err)
	}
	index, err := v1.ParseIndexManifest(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("parse index of the store: %w", err)
	}
	return index, nil
}

// newEntry describes an image in the store's index. top is the index the
// manifest was chosen from, or the manifest itself.
func newEntry(ref string, manifest, top v1.Descriptor) v1.Descriptor {
	manifest.Annotations = map[string]string{refName: ref}
	if top.Digest != manifest.Digest {
		manifest.Annotations[indexDigest] = top.Digest.String()
	}
	return manifest
}

// List returns the images of the store, in order of arrival. An image that
// cannot be read is left out and told in the error; the others are returned.
func (s *Store) List() ([]*Image, error) {
	index, err := s.index()
	if err != nil {
		return nil, err
	}
	var images []*Image
	var errs []error
	for _, entry := range index.Manifests {
		img, err := s.load(entry)
		if err != nil {
			errs = append(errs, fmt.Errorf("read image %s: %w", entry.Annotations[refName], err))
			continue
		}
		images = append(images, img)
	}
	return images, errors.Join(errs...)
}

// Get returns the image ref from the store: by full or short reference, by
// digest (of the manifest, or of the index it came from), or by an unambiguous
// beginning of a digest.
func (s *Store) Get(ref string) (*Image, error) {
	index, err := s.index()
	if err != nil {
		return nil, err
	}
	entry, err := find(index, ref)
	if err != nil {
		return nil, err
	}
	img, err := s.load(entry)
	if err != nil {
		return nil, fmt.Errorf("read image %s: %w", ref, err)
	}
	return img, nil
}

// find looks ref up in the store's index.
func find(index *v1.IndexManifest, ref string) (v1.Descriptor, error) {
	full, refErr := Canonical(ref)
	repo, digest, byDigest := strings.Cut(full, "@")
	for _, e := range index.Manifests {
		if refErr == nil && e.Annotations[refName] == full {
			return e, nil
		}
		if byDigest && hasDigest(e, digest, true) && repositoryOf(e.Annotations[refName]) == repo {
			return e, nil
		}
	}
	fits := map[string]v1.Descriptor{} // by digest: two names of one image are no ambiguity
	for _, e := range index.Manifests {
		if hasDigest(e, ref, false) {
			fits[e.Digest.String()] = e
		}
	}
	switch {
	case len(fits) == 0 && refErr != nil && !strings.HasPrefix(ref, "sha256:"):
		return v1.Descriptor{}, refErr
	case len(fits) == 0:
		return v1.Descriptor{}, &NotFoundError{Ref: ref}
	case len(fits) > 1:
		e := &AmbiguousError{Prefix: ref}
		for digest := range fits {
			e.Fits = append(e.Fits, digest)
		}
		return v1.Descriptor{}, e
	}
	for _, e := range fits {
		return e, nil
	}
	return v1.Descriptor{}, &NotFoundError{Ref: ref}
}

// hasDigest reports whether an entry's digest, or that of its index, is digest,
// or begins with it. Fewer than four digits are not taken for a digest.
func hasDigest(e v1.Descriptor, digest string, whole bool) bool {
	for _, have := range []string{e.Digest.String(), e.Annotations[indexDigest]} {
		if have == digest && have != "" { // an image that came without an index has no such annotation
			return true
		}
		_, digits, _ := strings.Cut(have, ":")
		short := strings.TrimPrefix(digest, "sha256:")
		if !whole && len(short) >= 4 && strings.HasPrefix(digits, short) {
			return true
		}
	}
	return false
}

// readBlob reads and verifies a small blob.
func (s *Store) readBlob(d v1.Descriptor, what string) ([]byte, error) {
	path := s.blobPath(d.Digest)
	if err := checkAnnounced(d, what, path); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, s.missing(d, err)
	}
	defer f.Close()
	v, err := verify(f, d, what, path)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(v)
}

// checkPresent makes sure a blob is there, in its full size.
func (s *Store) checkPresent(d v1.Descriptor) error {
	info, err := os.Stat(s.blobPath(d.Digest))
	if err != nil {
		return s.missing(d, err)
	}
	if info.Size() != d.Size {
		return &SizeError{What: "layer", Where: s.blobPath(d.Digest), Digest: d.Digest.String(), Want: d.Size, Got: info.Size()}
	}
	return nil
}

// missing explains why a blob cannot be opened.
func (s *Store) missing(d v1.Descriptor, err error) error {
	return fmt.Errorf("open blob %s in the store: %w", d.Digest, err)
}
