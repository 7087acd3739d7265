package store

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"cutaway/sandbox/sys"
)

// Errors that carry advice have a method Hint() string beside Error(): the
// fact and the guess stay apart until the command line prints them.

// ErrNotFound is what errors.Is finds when an image does not exist, be it in
// the store or in a registry.
var ErrNotFound = errors.New("no such image")

// NotFoundError says which image the store lacks.
type NotFoundError struct{ Ref string }

func (e *NotFoundError) Error() string {
	return fmt.Sprintf("find image %s in the store: %v", e.Ref, ErrNotFound)
}

// Is makes the error an ErrNotFound.
func (e *NotFoundError) Is(target error) bool { return target == ErrNotFound }

// Hint says how to get one.
func (e *NotFoundError) Hint() string {
	return "cutaway pull fetches an image, cutaway images lists those in the store"
}

// AmbiguousError says that a digest prefix fits several images.
type AmbiguousError struct {
	Prefix string
	Fits   []string // digests
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("find image %s in the store: %d images begin so: %s", e.Prefix, len(e.Fits), strings.Join(e.Fits, ", "))
}

// Hint asks for more of the digest.
func (e *AmbiguousError) Hint() string { return "give more digits of the digest" }

// DigestError says that bytes are not those that were announced.
type DigestError struct {
	What  string // "layer", "manifest", "config", "index", "layer contents"
	Where string // the registry's host, or the file in the store
	Want  string // "sha256:..."
	Got   string
}

func (e *DigestError) Error() string {
	return fmt.Sprintf("verify %s %s from %s: its digest is %s", e.What, e.Want, e.Where, e.Got)
}

// Hint names the usual reasons.
func (e *DigestError) Hint() string {
	if strings.HasPrefix(e.Where, "/") {
		return "the file was changed on disk: remove the image and pull it again"
	}
	return "the registry, or something on the way, changed the bytes: nothing of them was kept"
}

// SizeError says that there are more or fewer bytes than were announced.
type SizeError struct {
	What, Where, Digest string
	Want                int64 // bytes
	Got                 int64 // bytes; more than Want means at least so many
}

func (e *SizeError) Error() string {
	fact := fmt.Sprintf("it ends after %d bytes", e.Got)
	if e.Got > e.Want {
		fact = "it is longer"
	}
	return fmt.Sprintf("verify %s %s from %s: %d bytes were announced: %s", e.What, e.Digest, e.Where, e.Want, fact)
}

// Hint names the usual reasons.
func (e *SizeError) Hint() string {
	return "the transfer was cut off, or the registry is wrong about its own content: try again"
}

// SpaceError says that the store's file system is full.
type SpaceError struct {
	Dir string
	Err error
}

func (e *SpaceError) Error() string { return e.Err.Error() }

func (e *SpaceError) Unwrap() error { return e.Err }

// Hint says where room is needed.
func (e *SpaceError) Hint() string {
	return "make room on the file system of " + e.Dir + ": cutaway rmi removes images"
}

// WithSpace puts the advice for a full disk on errors that need it.
func WithSpace(dir string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return &SpaceError{Dir: dir, Err: err}
	}
	return err
}

// Named gives the error number in err alone, with its name, without the
// operation and the path that package os adds.
func Named(err error) error {
	var e syscall.Errno
	if errors.As(err, &e) {
		return fmt.Errorf("%s: %w", sys.ErrnoName(e), e)
	}
	return err
}

// LimitError says that an image asks for more than it may have.
type LimitError struct {
	What  string
	Limit int64
	Unit  string
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("check %s: more than the %d %s allowed", e.What, e.Limit, e.Unit)
}
