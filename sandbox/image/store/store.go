package store

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
	"syscall"
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
type Store struct{ dir string }

// Annotations of the entries in the layout's index.
const (
	RefName     = "org.opencontainers.image.ref.name" // image-spec annotations.md
	IndexDigest = "cutaway.index"                     // the index the manifest was chosen from
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
			return nil, fmt.Errorf("make store: %w", WithSpace(dir, err))
		}
	}
	for _, path := range []string{dir, s.Path("layers")} {
		if err := searchable(path); err != nil {
			return nil, fmt.Errorf("make store: %w", err)
		}
	}
	unlock, err := s.Lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := s.initLayout(); err != nil {
		return nil, fmt.Errorf("make store: %w", WithSpace(dir, err))
	}
	return s, s.SweepTmp()
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
	if _, err := os.Stat(s.Path("layout", "index.json")); err == nil {
		return nil
	}
	if err := writeFile(s.Path("layout", "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`)); err != nil {
		return err
	}
	return s.WriteIndex(&v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{}})
}

// WriteIndex replaces the list of images.
func (s *Store) WriteIndex(index *v1.IndexManifest) error {
	raw, err := json.MarshalIndent(index, "", "  ")
	if err != nil {
		return fmt.Errorf("write index of the store: %w", err)
	}
	return writeFile(s.Path("layout", "index.json"), raw)
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

// Path is that of a file or directory in the store.
func (s *Store) Path(elem ...string) string {
	return filepath.Join(append([]string{s.dir}, elem...)...)
}

// BlobPath is where the blob with this digest is, if the store has it.
func (s *Store) BlobPath(h v1.Hash) string { return s.Path("layout", "blobs", h.Algorithm, h.Hex) }

// lockWait is how long to wait for the store's lock. It is held for renames and
// removals, never while something is fetched or unpacked.
const lockWait = time.Minute

// Lock waits for the store's lock.
func (s *Store) Lock() (unlock func(), err error) {
	d, err := sys.OpenDirectory(s.dir)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", s.dir, err)
	}
	for start := time.Now(); ; {
		switch err := d.Flock(true); {
		case err == nil:
			return func() { d.Close() }, nil
		case !errors.Is(err, syscall.EWOULDBLOCK) || time.Since(start) > lockWait:
			d.Close()
			return nil, fmt.Errorf("lock store %s: %w", s.dir, Named(err))
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// Index reads the list of images.
func (s *Store) Index() (*v1.IndexManifest, error) {
	raw, err := os.ReadFile(s.Path("layout", "index.json"))
	if err != nil {
		return nil, fmt.Errorf("read index of the store: %w", err)
	}
	index, err := v1.ParseIndexManifest(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("parse index of the store: %w", err)
	}
	return index, nil
}

// List returns the images of the store, in order of arrival. An image that
// cannot be read is left out and told in the error; the others are returned.
func (s *Store) List() ([]*Image, error) {
	index, err := s.Index()
	if err != nil {
		return nil, err
	}
	var images []*Image
	var errs []error
	for _, entry := range index.Manifests {
		img, err := s.ReadImage(entry)
		if err != nil {
			errs = append(errs, fmt.Errorf("read image %s: %w", entry.Annotations[RefName], err))
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
	index, err := s.Index()
	if err != nil {
		return nil, err
	}
	entry, err := Find(index, ref)
	if err != nil {
		return nil, err
	}
	img, err := s.ReadImage(entry)
	if err != nil {
		return nil, fmt.Errorf("read image %s: %w", ref, err)
	}
	return img, nil
}

// Find looks ref up in the store's index.
func Find(index *v1.IndexManifest, ref string) (v1.Descriptor, error) {
	full, refErr := Canonical(ref)
	repo, digest, byDigest := strings.Cut(full, "@")
	for _, e := range index.Manifests {
		if refErr == nil && e.Annotations[RefName] == full {
			return e, nil
		}
		if byDigest && hasDigest(e, digest, true) && repositoryOf(e.Annotations[RefName]) == repo {
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
	for _, have := range []string{e.Digest.String(), e.Annotations[IndexDigest]} {
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

// OpenBlob opens the blob d, which is an index, a manifest, a config or a layer.
// What is read of it is verified.
func (s *Store) OpenBlob(d v1.Descriptor, what string) (io.ReadCloser, error) {
	path := s.BlobPath(d.Digest)
	if err := CheckAnnounced(d, what, path); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, s.missing(d, err)
	}
	v, err := Verify(f, d, what, path)
	if err != nil {
		f.Close()
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{v, f}, nil
}

// readBlob reads and verifies a small blob.
func (s *Store) readBlob(d v1.Descriptor, what string) ([]byte, error) {
	blob, err := s.OpenBlob(d, what)
	if err != nil {
		return nil, err
	}
	defer blob.Close()
	return io.ReadAll(blob)
}

// checkPresent makes sure a blob is there, in its full size.
func (s *Store) checkPresent(d v1.Descriptor) error {
	info, err := os.Stat(s.BlobPath(d.Digest))
	if err != nil {
		return s.missing(d, err)
	}
	if info.Size() != d.Size {
		return &SizeError{What: "layer", Where: s.BlobPath(d.Digest), Digest: d.Digest.String(), Want: d.Size, Got: info.Size()}
	}
	return nil
}

// missing explains why a blob cannot be opened.
func (s *Store) missing(d v1.Descriptor, err error) error {
	return fmt.Errorf("open blob %s in the store: %w", d.Digest, err)
}
