// Package image fetches container images, keeps them, and turns their layers
// into directories: the OCI distribution, image and layout specifications in
// one place.
//
// Its one invariant: nothing is used before its digest and its size were
// compared with what refers to it, and nothing a layer contains can name a
// file outside the directory the layer is unpacked into.
//
// Read package store first: what an image is, its names, and where it is kept.
// Then pull.go with session.go and transport.go (the registry protocol),
// staging.go (how the store is filled), and unpack.go, extract.go, whiteout.go
// (layers), and changes.go for the way back.
package image

import "cutaway/sandbox/image/store"

// Store is a store that can be added to.
type Store struct {
	*store.Store

	// Note is told of what unpacking left out, such as a device node; it may
	// be nil. It is called from several goroutines.
	Note func(string)
}

// Open opens the store in dir, making it if need be.
func Open(dir string) (*Store, error) {
	s, err := store.Open(dir)
	if err != nil {
		return nil, err
	}
	return &Store{Store: s}, nil
}

// What the store has goes by the same names here.
type (
	Image          = store.Image
	Config         = store.Config
	Owner          = store.Owner
	User           = store.User
	DigestError    = store.DigestError
	ReferenceError = store.ReferenceError
)

// BuiltInRef is the reference of the embedded image.
const BuiltInRef = store.BuiltInRef

// ErrNotFound is what errors.Is finds when an image does not exist, be it in
// the store or in a registry.
var ErrNotFound = store.ErrNotFound

// BuiltInDigest is the digest of the embedded image's manifest; "" without one.
func BuiltInDigest() string { return store.BuiltInDigest() }

// FindUser resolves user[:group] in the layers of an image.
func FindUser(lowers []string, user string) (User, error) { return store.FindUser(lowers, user) }
