package image

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"time"

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

// BusyError says that layers of an image are held by a container.
type BusyError struct{ Ref string }

func (e *BusyError) Error() string {
	return fmt.Sprintf("remove image %s: EBUSY: a running container uses its layers", e.Ref)
}

// Hint says what to do first.
func (e *BusyError) Hint() string { return "stop the container first" }

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

// RegistryError is a registry's refusal, or a failure to reach it.
type RegistryError struct {
	Method, URL string // what was asked for, secrets redacted
	Status      int    // HTTP status; 0 without an answer
	Fact        string
	Err         error
}

func (e *RegistryError) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("%s %s: %s", e.Method, e.URL, e.Fact)
	}
	text := fmt.Sprintf("%s %s: %d %s", e.Method, e.URL, e.Status, http.StatusText(e.Status))
	if e.Fact != "" {
		text += ": " + e.Fact
	}
	return text
}

func (e *RegistryError) Unwrap() error { return e.Err }

// Is makes a 404 an ErrNotFound.
func (e *RegistryError) Is(target error) bool {
	return target == ErrNotFound && e.Status == http.StatusNotFound
}

// Hint guesses from the status and the error number.
func (e *RegistryError) Hint() string {
	switch {
	case e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden:
		return "the name may be wrong, or it needs a login: credentials are read from ~/.docker/config.json"
	case e.Status == http.StatusNotFound:
		return "check the name and the tag"
	case e.Status == http.StatusTooManyRequests:
		return "the registry limits how much one may pull: wait, log in, or use a registry of your own"
	case e.Status >= 500:
		return "the registry has a problem of its own: try again later"
	case errors.Is(e.Err, syscall.ECONNREFUSED):
		return "is the registry running, and is the port right?"
	case errors.Is(e.Err, http.ErrSchemeMismatch):
		return "the registry speaks plain HTTP: --insecure allows that, where you trust the network"
	}
	return "the image `built-in` needs no network"
}

// PlainHTTPError says that a request would have crossed a network unencrypted.
type PlainHTTPError struct {
	URL string
	To  string // what is wrong with the destination
}

func (e *PlainHTTPError) Error() string { return fmt.Sprintf("GET %s: refused: %s", e.URL, e.To) }

// Hint names the flag that allows it.
func (e *PlainHTTPError) Hint() string { return "--insecure allows that, where you trust the network" }

// SilenceError says that a registry stopped talking.
type SilenceError struct {
	Method, URL string
	After       time.Duration
}

func (e *SilenceError) Error() string {
	return fmt.Sprintf("%s %s: ETIMEDOUT: no answer for %v", e.Method, e.URL, e.After)
}

// Timeout makes the error a timeout in the sense of package net.
func (e *SilenceError) Timeout() bool { return true }

// Hint names the usual reasons.
func (e *SilenceError) Hint() string {
	return "the registry is overloaded, or a firewall drops the packets: try again later"
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

// OverlaidError says that a whiteout could not be made.
type OverlaidError struct{ Err error }

func (e *OverlaidError) Error() string { return errno(e.Err) }

func (e *OverlaidError) Unwrap() error { return e.Err }

// Hint guesses where the store is: in a container, for example.
func (e *OverlaidError) Hint() string {
	return "on an overlayfs nobody can make whiteouts, it keeps them for itself; put the lab's state on ext4, xfs or tmpfs: cutaway --state DIR"
}

// LayerError says that a layer holds something no image should.
type LayerError struct {
	Layer string // digest
	Entry string // name in the archive; "" is the layer as a whole
	Fact  string
	Err   error
}

func (e *LayerError) Error() string {
	place := "layer " + e.Layer
	if e.Entry != "" {
		place = fmt.Sprintf("%q of layer %s", shortened(e.Entry), e.Layer)
	}
	return fmt.Sprintf("unpack %s: %s", place, e.Fact)
}

func (e *LayerError) Unwrap() error { return e.Err }

// shortened keeps a name from filling the screen.
func shortened(name string) string {
	const most = 120 // bytes
	if len(name) <= most {
		return name
	}
	return name[:most/2] + "..." + name[len(name)-most/2:]
}

// withSpace puts the advice for a full disk on errors that need it.
func withSpace(dir string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return &SpaceError{Dir: dir, Err: err}
	}
	return err
}

// errno names the error number in err and says what it means: "ENOSPC: no
// space left on device".
func errno(err error) string {
	var e syscall.Errno
	if errors.As(err, &e) {
		return sys.ErrnoName(e) + ": " + e.Error()
	}
	return err.Error()
}

// named gives the error number in err alone, with its name, without the
// operation and the path that package os adds.
func named(err error) error {
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
