package stages

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"cutaway/sandbox"
	"cutaway/sandbox/sys"
)

// place is a directory for what a stage needs for one run, beside the lab's
// containers. It is locked as long as it is in use: if this process is killed,
// `cutaway clean` and the next to make such a place know that it is nobody's.
type place struct {
	dir  string
	lock *os.File
}

// newPlace makes a place whose name begins with prefix. It can be searched by
// everybody, for a container's root, who is nobody here, must get through.
func newPlace(l *sandbox.Lab, prefix string) (p place, err error) {
	parent := filepath.Join(l.Dirs.Data, "containers")
	// Nobody may take the place for abandoned before its lock is held.
	err = l.Locked(func() error {
		if err := sweepPlaces(parent, prefix); err != nil {
			return err
		}
		if p.dir, err = os.MkdirTemp(parent, prefix); err != nil {
			return err
		}
		if p.lock, err = os.Open(p.dir); err != nil {
			return err
		}
		return errors.Join(sys.Lock(p.lock), p.lock.Chmod(0o711))
	})
	if err != nil {
		return place{}, errors.Join(fmt.Errorf("make a place for this stage: %w", err), p.remove())
	}
	return p, nil
}

// sweepPlaces removes those that killed runs have left.
func sweepPlaces(parent, prefix string) error {
	left, err := filepath.Glob(filepath.Join(parent, prefix+"*"))
	for _, dir := range left {
		f, openErr := os.Open(dir)
		if openErr != nil {
			continue // gone meanwhile
		}
		if sys.TryLock(f) == nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
		f.Close()
	}
	return err
}

// remove removes the place with what is in it.
func (p place) remove() error {
	if p.dir == "" {
		return nil
	}
	err := os.RemoveAll(p.dir)
	if p.lock != nil {
		p.lock.Close()
	}
	return err
}
