package image

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"cutaway/sandbox/image/store"
	"cutaway/sandbox/sys"
)

// staging collects the blobs of an image in a directory of its own under tmp/
// until all are there. Then commit moves them into the layout; discard, before
// or instead, removes every trace. Its lock on the directory tells sweep that
// the directory is not a dead process's.
type staging struct {
	store *Store
	dir   string
	lock  sys.FD

	mu    sync.Mutex
	blobs []v1.Hash
}

// stage begins a staging directory.
func (s *Store) stage() (*staging, error) {
	unlock, err := s.Lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := s.SweepTmp(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(s.Path("tmp"), "pull-")
	if err != nil {
		return nil, fmt.Errorf("make staging directory: %w", err)
	}
	d, err := sys.OpenDirectory(dir)
	if err == nil {
		err = d.Flock(true)
	}
	if err != nil {
		os.RemoveAll(dir) // the first error is the one to tell
		return nil, fmt.Errorf("lock staging directory %s: %w", dir, err)
	}
	return &staging{store: s, dir: dir, lock: d}, nil
}

func (t *staging) path(h v1.Hash) string {
	return filepath.Join(t.dir, h.Algorithm+"-"+h.Hex)
}

// add stages the blob d, read from a verifier. progress is told how many bytes
// are there.
func (t *staging) add(d v1.Descriptor, from io.Reader, progress func(int64)) error {
	f, err := os.OpenFile(t.path(d.Digest), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("write blob %s: %w", d.Digest, err)
	}
	// The small buffer makes for a smooth progress bar, not for speed.
	_, err = io.CopyBuffer(&blobWriter{file: f, blob: d.Digest, tell: progress}, from, make([]byte, 128<<10))
	if closeErr := f.Close(); err == nil && closeErr != nil {
		err = fmt.Errorf("write blob %s: %w", d.Digest, store.Named(closeErr))
	}
	if err != nil {
		return err
	}
	t.note(d.Digest)
	return nil
}

// has reports whether a blob is staged.
func (t *staging) has(h v1.Hash) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Contains(t.blobs, h)
}

func (t *staging) note(h v1.Hash) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !slices.Contains(t.blobs, h) {
		t.blobs = append(t.blobs, h)
	}
}

// blobWriter writes a blob's file and tells how much is there.
type blobWriter struct {
	file *os.File
	blob v1.Hash
	done int64
	tell func(int64) // may be nil
}

func (w *blobWriter) Write(b []byte) (int, error) {
	n, err := w.file.Write(b)
	if err != nil {
		return n, fmt.Errorf("write blob %s: %w", w.blob, store.Named(err))
	}
	w.done += int64(n)
	if w.tell != nil {
		w.tell(w.done)
	}
	return n, nil
}

// reuse stages a blob the store has already, by a second link: a Remove that
// comes in between cannot take it away. A damaged one is not reused.
func (t *staging) reuse(d v1.Descriptor) bool {
	path := t.path(d.Digest)
	if err := os.Link(t.store.BlobPath(d.Digest), path); err != nil {
		return false
	}
	if err := checkFile(path, d); err != nil {
		os.Remove(path) // fetched again, it is written over anyway
		return false
	}
	t.note(d.Digest)
	return true
}

// checkFile verifies a blob on disk.
func checkFile(path string, d v1.Descriptor) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	v, err := store.Verify(f, d, "blob", path)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, v)
	return err
}

// read returns a small blob staged before.
func (t *staging) read(d v1.Descriptor) ([]byte, error) {
	f, err := os.Open(t.path(d.Digest))
	if err != nil {
		return nil, fmt.Errorf("open blob %s: %w", d.Digest, err)
	}
	defer f.Close()
	v, err := store.Verify(f, d, "blob", f.Name())
	if err != nil {
		return nil, err
	}
	return io.ReadAll(v)
}

// commit moves the staged blobs into the layout and puts entry into its index,
// in the place of an image of the same reference. If that fails half way, what
// was moved is taken out again.
func (t *staging) commit(entry v1.Descriptor) (*Image, error) {
	unlock, err := t.store.Lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	index, err := t.store.Index()
	if err != nil {
		return nil, err
	}
	ref := entry.Annotations[store.RefName]
	index.Manifests = slices.DeleteFunc(index.Manifests, func(d v1.Descriptor) bool { return d.Annotations[store.RefName] == ref })
	index.Manifests = append(index.Manifests, entry)

	// The index is written first and renamed last: when the disk is full, it is
	// full before anything was moved.
	next := filepath.Join(t.dir, "index.json")
	raw, err := json.MarshalIndent(index, "", "  ")
	if err == nil {
		err = os.WriteFile(next, raw, 0o644)
	}
	if err != nil {
		return nil, fmt.Errorf("write index of the store: %w", err)
	}
	moved, err := t.move()
	if err == nil {
		err = os.Rename(next, t.store.Path("layout", "index.json"))
	}
	if err != nil {
		for _, path := range moved {
			os.Remove(path) // the first error is the one to tell
		}
		return nil, fmt.Errorf("write index of the store: %w", err)
	}
	img, err := t.store.ReadImage(entry)
	if err != nil {
		return nil, err
	}
	// What the replaced image leaves behind and cannot be removed now is
	// removed by the next collect: the pull has succeeded.
	_ = t.store.collect(index)
	return img, nil
}

// move renames the staged blobs into the layout and returns the paths of those
// that were not there before.
func (t *staging) move() (moved []string, err error) {
	for _, h := range t.blobs {
		path := t.store.BlobPath(h)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return moved, err
		}
		_, statErr := os.Lstat(path)
		if err := os.Rename(t.path(h), path); err != nil {
			return moved, err
		}
		if statErr != nil {
			moved = append(moved, path)
		}
	}
	return moved, nil
}

// discard removes the staging directory; after a commit nothing else is left
// of it.
func (t *staging) discard() {
	os.RemoveAll(t.dir) // what cannot be removed now, the next sweep removes
	t.lock.Close()
}

// newEntry describes an image in the store's index. top is the index the
// manifest was chosen from, or the manifest itself.
func newEntry(ref string, manifest, top v1.Descriptor) v1.Descriptor {
	manifest.Annotations = map[string]string{store.RefName: ref}
	if top.Digest != manifest.Digest {
		manifest.Annotations[store.IndexDigest] = top.Digest.String()
	}
	return manifest
}
