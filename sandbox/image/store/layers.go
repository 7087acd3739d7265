package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"cutaway/sandbox/sys"
)

// Owner maps user and group IDs of an image to those on disk.
type Owner struct {
	// UIDBase and GIDBase are added to every ID: a container whose ID 0 is
	// host ID 100000 has base 100000.
	UIDBase, GIDBase int
	// Squash leaves every file to the calling user, who need not be root then.
	Squash bool
}

// key names the owner in paths.
func (o Owner) key() string {
	switch {
	case o.Squash:
		return "squashed"
	case o.UIDBase == 0 && o.GIDBase == 0:
		return "plain"
	}
	return fmt.Sprintf("uid%d-gid%d", o.UIDBase, o.GIDBase)
}

// TempLayer begins the name of a directory that a layer is being unpacked into,
// or removed from. Whoever has the owner directory's lock and does not know it
// removes it.
const TempLayer = ".tmp-"

// ErrNotUnpacked is what errors.Is finds when layers of an image have no
// directory yet.
var ErrNotUnpacked = errors.New("not all layers are unpacked")

// Name is that of the layer's directory: the digits of its chain ID. The colon
// would end the path in overlayfs's mount options.
func (l Layer) Name() string {
	_, digits, _ := strings.Cut(l.ChainID, ":")
	return digits
}

// LayersOf is the directory with the layers that are unpacked for o, each under
// its Name: a layer is there whole or not at all.
func (s *Store) LayersOf(o Owner) string { return s.Path("layers", o.key()) }

// Layers gives the directories of the layers of img, the topmost first, in the
// form overlayfs wants its lower directories, if all of them are unpacked for o;
// else ErrNotUnpacked. When an opaque directory hides the layers below as a
// whole, those are left out.
func (s *Store) Layers(img *Image, o Owner) ([]string, error) {
	dir := s.LayersOf(o)
	for _, l := range img.Layers {
		if _, err := os.Stat(filepath.Join(dir, l.Name())); err != nil {
			return nil, ErrNotUnpacked
		}
	}
	var lowers []string
	for n := len(img.Layers) - 1; n >= 0; n-- {
		lower := filepath.Join(dir, img.Layers[n].Name())
		lowers = append(lowers, lower)
		opaque, err := IsOpaque(lower)
		if err != nil {
			return nil, err
		}
		if opaque {
			break
		}
	}
	return lowers, nil
}

// Hold keeps whoever removes images away from the layer directories that a
// container mounts, until release is called or the process ends.
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

// LockLayers waits for the right to unpack for o, and sweeps what those who had
// it before and died have left.
func (s *Store) LockLayers(ctx context.Context, o Owner) (unlock func(), err error) {
	dir := s.LayersOf(o)
	err = os.MkdirAll(dir, 0o711)
	if err == nil {
		err = searchable(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("make layer directory: %w", err)
	}
	d, err := sys.OpenDirectory(dir)
	if err != nil {
		return nil, fmt.Errorf("open layer directory: %w", err)
	}
	for {
		if err = d.Flock(true); !errors.Is(err, syscall.EWOULDBLOCK) {
			break
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			d.Close()
			return nil, context.Cause(ctx)
		}
	}
	if err == nil {
		err = sweepLayers(dir)
	}
	if err != nil {
		d.Close()
		return nil, fmt.Errorf("lock layer directory: %w", err)
	}
	return func() { d.Close() }, nil
}
