package image

import (
	"errors"
	"os"
	"path/filepath"
	"slices"

	"cutaway/sandbox/sys"
)

// Sweep removes what processes that were killed have left half done in the store
// at dir, if there is one, and lists it. What somebody works on stays.
func Sweep(dir string) ([]string, error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, nil // never used
	}
	var half []string
	for _, pattern := range []string{"tmp/*", "layers/*/" + tempLayer + "*", "layout/*.new"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, err
		}
		half = append(half, found...)
	}
	if len(half) == 0 {
		return nil, nil
	}
	s, err := Open(dir)
	if err == nil {
		err = errors.Join(s.sweepIndex(), s.sweepOwners())
	}
	swept := slices.DeleteFunc(half, func(path string) bool {
		_, err := os.Lstat(path)
		return err == nil
	})
	return swept, err
}

// sweepIndex removes an index that was not finished.
func (s *Store) sweepIndex() error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	half, err := filepath.Glob(s.path("layout", "*.new"))
	for _, path := range half {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// sweepOwners removes layers that were not finished, of each owner for whom
// nobody unpacks.
func (s *Store) sweepOwners() error {
	owners, err := filepath.Glob(s.path("layers", "*"))
	for _, dir := range owners {
		d, openErr := sys.OpenDirectory(dir)
		if openErr != nil {
			continue
		}
		if d.Flock(true) == nil {
			err = errors.Join(err, sweepLayers(dir))
		}
		d.Close()
	}
	return err
}
