package image

import (
	"errors"
	"fmt"
	"net/http"
	"syscall"
	"time"

	"cutaway/sandbox/image/store"
)

// Errors that carry advice have a method Hint() string beside Error(): the
// fact and the guess stay apart until the command line prints them.

// BusyError says that layers of an image are held by a container.
type BusyError struct{ Ref string }

func (e *BusyError) Error() string {
	return fmt.Sprintf("remove image %s: EBUSY: a running container uses its layers", e.Ref)
}

// Hint says what to do first.
func (e *BusyError) Hint() string { return "stop the container first" }

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

// errno names the error number in err and says what it means: "ENOSPC: no
// space left on device".
func errno(err error) string { return store.Named(err).Error() }
