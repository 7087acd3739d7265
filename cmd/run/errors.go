package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"unicode"

	"cutaway/sandbox"
	"cutaway/sandbox/features"
	"cutaway/sandbox/op"
	"cutaway/stages/buildup"
)

// The exit statuses of the contract; those of payloads pass through.
const (
	Failed        = 1
	Usage         = 2
	Cannot        = 3
	notExecutable = 126 // as sh(1) has it, EXIT STATUS
	notFound      = 127
	signalled     = 128 // and the signal's number
)

// UsageError is a command line that means nothing.
type UsageError struct {
	What, Fact string
	Path       string // the command whose --help says more
	Advice     string // in place of that
}

func (e *UsageError) Error() string { return e.What + ": " + e.Fact }

// Hint points to the description of the command.
func (e *UsageError) Hint() string {
	if e.Advice != "" {
		return e.Advice
	}
	return e.Path + " --help lists what there is"
}

// PayloadStatus is the exit status of a payload: not an error of ours, and
// nothing to be said about it.
type PayloadStatus int

func (s PayloadStatus) Error() string { return fmt.Sprintf("the payload ended with status %d", int(s)) }

// SignalError is a signal that told us to end.
type SignalError struct{ Signal syscall.Signal }

func (e *SignalError) Error() string { return "ended by " + e.Signal.String() }

// Interrupted says what really happened when ctx ended by a signal: whatever
// failed then, failed because of it.
func Interrupted(ctx context.Context, err error) error {
	var s *SignalError
	if errors.As(context.Cause(ctx), &s) && errors.Is(err, context.Canceled) {
		return s
	}
	return err
}

// unread tells that nobody reads our standard output any more.
func unread(err error) bool {
	var write *fs.PathError
	return errors.As(err, &write) && write.Path == os.Stdout.Name() && errors.Is(write, syscall.EPIPE)
}

// Ended turns a payload's exit status into the error that carries it out.
func Ended(status int, err error) error {
	if err == nil && status != 0 {
		return PayloadStatus(status)
	}
	return err
}

// Status is the exit status for an error.
func Status(err error) int {
	var (
		payload  PayloadStatus
		signal   *SignalError
		detached *sandbox.DetachError
		use      *UsageError
		wish     *buildup.WishError
		notRoot  *buildup.NotRootError
		feature  *features.Error
		refused  *op.Error
	)
	switch {
	case err == nil:
		return 0
	case errors.As(err, &payload):
		return int(payload)
	case unread(err):
		return signalled + int(syscall.SIGPIPE)
	case errors.As(err, &detached):
		return detached.Status
	case errors.As(err, &signal):
		return signalled + int(signal.Signal)
	case errors.As(err, &use), errors.As(err, &wish):
		return Usage
	case errors.As(err, &notRoot), errors.As(err, &feature):
		return Cannot
	case errors.As(err, &refused) && refused.Op == "execve":
		if refused.Errno == syscall.ENOENT {
			return notFound
		}
		return notExecutable
	}
	return Failed
}

// Silent reports whether nothing is to be said about an error, because the exit
// status says it all.
func Silent(err error) bool {
	var (
		payload PayloadStatus
		signal  *SignalError
	)
	return errors.As(err, &payload) || errors.As(err, &signal) || unread(err)
}

// Tell writes an error for people: the fact, and a hint on a line of its own.
func Tell(w io.Writer, err error) {
	if Silent(err) {
		return
	}
	var detached *sandbox.DetachError
	if errors.As(err, &detached) { // it has said so in these words
		fmt.Fprintln(w, detached.Said)
		return
	}
	fmt.Fprintf(w, "cutaway: %s\n", strings.ReplaceAll(printable(err.Error()), "\n", "\ncutaway: "))
	if h := Hint(err); h != "" {
		fmt.Fprintf(w, "hint: %s\n", printable(h))
	}
}

// printable has ? for what would speak to the terminal: an error may quote a
// registry or an image.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}

// Hint finds the advice that the first error of the chain has which has any.
func Hint(err error) string {
	for err != nil {
		var h interface {
			error
			Hint() string
		}
		if !errors.As(err, &h) {
			return ""
		}
		if text := h.Hint(); text != "" {
			return text
		}
		err = errors.Unwrap(h)
	}
	return ""
}
