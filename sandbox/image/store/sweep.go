package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"cutaway/sandbox/sys"
)

// Sweep removes what processes that were killed have left half done in the store
// at dir, if there is one, and lists it. What somebody works on stays.
func Sweep(dir string) ([]string, error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, nil // never used
	}
	var half []string
	for _, pattern := range []string{"tmp/*", "layers/*/" + TempLayer + "*", "layout/*.new"} {
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
	unlock, err := s.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	half, err := filepath.Glob(s.Path("layout", "*.new"))
	for _, path := range half {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// sweepOwners removes layers that were not finished, of each owner for whom
// nobody unpacks.
func (s *Store) sweepOwners() error {
	owners, err := filepath.Glob(s.Path("layers", "*"))
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

// SweepTmp removes what processes that died left in tmp/. The caller holds the
// store's lock, so that no directory is between its making and its locking.
func (s *Store) SweepTmp() error {
	entries, err := os.ReadDir(s.Path("tmp"))
	if err != nil {
		return fmt.Errorf("sweep store: %w", err)
	}
	for _, e := range entries {
		d, err := sys.OpenDirectory(s.Path("tmp", e.Name()))
		if err != nil {
			continue // its owner has just removed it
		}
		if d.Flock(true) == nil {
			err = os.RemoveAll(s.Path("tmp", e.Name()))
		}
		d.Close()
		if err != nil {
			return fmt.Errorf("sweep store: %w", err)
		}
	}
	return nil
}

// sweepLayers removes layers of one owner that were not finished.
func sweepLayers(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), TempLayer) {
			if err := RemoveTree(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// RemoveTree removes a tree of any permissions: an ordinary user cannot empty
// a directory of mode 0555, though it is his own.
func RemoveTree(dir string) error {
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
