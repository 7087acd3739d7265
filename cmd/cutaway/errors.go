package main

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

	"cutaway/exercises"
	"cutaway/sandbox"
	"cutaway/sandbox/features"
	"cutaway/sandbox/image"
	"cutaway/sandbox/op"
	"cutaway/sandbox/trace"
	"cutaway/stages"
	"cutaway/vm"
)

// The exit statuses of the contract; those of payloads pass through.
const (
	failed        = 1
	usage         = 2
	cannot        = 3
	notExecutable = 126 // as sh(1) has it, EXIT STATUS
	notFound      = 127
	signalled     = 128 // and the signal's number
)

// usageError is a command line that means nothing.
type usageError struct {
	What, Fact string
	Path       string // the command whose --help says more
	Advice     string // in place of that
}

func (e *usageError) Error() string { return e.What + ": " + e.Fact }

// Hint points to the description of the command.
func (e *usageError) Hint() string {
	if e.Advice != "" {
		return e.Advice
	}
	return e.Path + " --help lists what there is"
}

// cannotError is work that this machine cannot do, or must not be asked to.
type cannotError struct{ Fact, Advice string }

func (e *cannotError) Error() string { return e.Fact }

// Hint says what works instead.
func (e *cannotError) Hint() string { return e.Advice }

// payloadStatus is the exit status of a payload: not an error of ours, and
// nothing to be said about it.
type payloadStatus int

func (s payloadStatus) Error() string { return fmt.Sprintf("the payload ended with status %d", int(s)) }

// ended turns a payload's exit status into the error that carries it out.
func ended(status int, err error) error {
	if err == nil && status != 0 {
		return payloadStatus(status)
	}
	return err
}

// signalError is a signal that told us to end.
type signalError struct{ Signal syscall.Signal }

func (e *signalError) Error() string { return "ended by " + e.Signal.String() }

// interrupted says what really happened when ctx ended by a signal: whatever
// failed then, failed because of it.
func interrupted(ctx context.Context, err error) error {
	var s *signalError
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

// status is the exit status for an error.
func status(err error) int {
	var (
		use       *usageError
		unknown   *stages.UnknownError
		reference *image.ReferenceError
		mustNot   *cannotError
		notRoot   *stages.NotRootError
		wish      *stages.WishError
		platform  *image.PlatformError
		detached  *sandbox.DetachError
		lacks     *stages.LacksError
		feature   *features.Error
		noQEMU    *vm.NoQEMUError
		noKernel  *vm.NoKernelError
		noGo      *exercises.NoCompilerError
		noFlag    *exercises.NeedError
		refused   *op.Error
		payload   payloadStatus
		signal    *signalError
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
	case errors.As(err, &platform) && platform.Machine:
		return cannot
	case errors.As(err, &signal):
		return signalled + int(signal.Signal)
	case errors.As(err, &use), errors.As(err, &wish), errors.As(err, &unknown), errors.As(err, &reference):
		return usage
	case errors.As(err, &mustNot), errors.As(err, &notRoot), errors.As(err, &lacks), errors.As(err, &feature),
		errors.As(err, &noQEMU), errors.As(err, &noKernel), errors.As(err, &noGo), errors.As(err, &noFlag):
		return cannot
	case errors.As(err, &refused) && refused.Op == "execve":
		if refused.Errno == syscall.ENOENT {
			return notFound
		}
		return notExecutable
	}
	return failed
}

// tell writes an error for people: the fact, and a hint on a line of its own.
func (c *cli) tell(w io.Writer, err error) {
	var (
		payload payloadStatus
		signal  *signalError
	)
	c.clear()
	if errors.As(err, &payload) || errors.As(err, &signal) || unread(err) {
		return // the status says it all
	}
	var detached *sandbox.DetachError
	if errors.As(err, &detached) { // it has said so in these words
		fmt.Fprintln(w, detached.Said)
		return
	}
	if c.json() {
		trace.NewJSON(os.Stdout).Emit(errorEvent("", err))
	}
	fmt.Fprintf(w, "cutaway: %s\n", strings.ReplaceAll(printable(err.Error()), "\n", "\ncutaway: "))
	if h := hint(err); h != "" {
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

// errorEvent is an error as an event.
func errorEvent(stage string, err error) trace.Event {
	return trace.Event{Schema: trace.Schema, Event: trace.ErrorEvent, Stage: stage, Text: err.Error(), Hint: hint(err)}
}

// hint finds the advice that the first error of the chain has which has any.
func hint(err error) string {
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
