// Package op holds the operations a container is built from, one file for each
// kernel subsystem. An Op is plain data with methods beside it: Do makes the
// system calls, Shell says the same by hand, Undo (where something outlives
// the container's processes) takes it back.
//
// Its one invariant: Do holds system calls and error wrapping only. What to do,
// in which order and why is decided in package plan; an Op never looks around.
// Read op.go, then hostname.go, the smallest.
package op

import (
	"errors"
	"fmt"
	"strconv"

	"cutaway/sandbox/sys"
)

// Op is one kernel operation as data.
type Op interface {
	// Name is the verb shown to people and programs: "sethostname".
	Name() string
	// Do makes the calls through k. In dry mode they are only recorded.
	Do(k *sys.Kernel, t *Target) error
	// Shell is the same as a command line, "" when no shell can say it.
	Shell() string
}

// Undoer is an Op whose work outlives the container's processes. It is written
// to the journal before it is done, so Undo must cope with work that was never
// begun or is already undone, and may run in another process.
type Undoer interface {
	Op
	Undo(k *sys.Kernel) error
}

// Shared is an Undoer whose work other containers may be using as well. It is
// undone by the last of them.
type Shared interface {
	Undoer
	IsShared() bool
}

// Target is what a Plan cannot know before it runs.
type Target struct {
	PID    int              // init, as the host's PID namespace counts it; 0 before clone
	PidFD  int              // descriptor for init on the host
	Launch sys.Launch       // how to start init
	Open   map[string][]int // descriptors that one step of init leaves for a later one
	Socket *sys.Socket      // init's end of the socketpair
	Master int              // the container's terminal, opened by init, for the host; -1 if none
}

// Proc gives the path of a file in init's /proc directory; before init exists,
// its pid is written as PID.
func (t *Target) Proc(file string) string {
	if t.PID == 0 {
		return "/proc/PID/" + file
	}
	return "/proc/" + strconv.Itoa(t.PID) + "/" + file
}

// Error is an operation that the kernel refused. The number is kept as a number
// up to the edge, across the socket too.
type Error struct {
	Op    string    `json:"op"`
	What  string    `json:"what"` // verb, object, place: "mount proc at /proc"
	Errno sys.Errno `json:"errno"`
	Fact  string    `json:"fact,omitempty"` // when there is no errno, or more to say
}

// Error reads "mount overlay at /x: EINVAL: invalid argument".
func (e *Error) Error() string {
	switch {
	case e.Errno == 0:
		return e.What + ": " + e.Fact
	case e.Fact != "":
		return e.What + ": " + sys.ErrnoName(e.Errno) + ": " + e.Fact
	}
	return e.What + ": " + sys.ErrnoName(e.Errno) + ": " + e.Errno.Error()
}

// Unwrap gives the errno, for errors.Is.
func (e *Error) Unwrap() error {
	if e.Errno == 0 {
		return nil
	}
	return e.Errno
}

// Hint guesses from operation and errno what the reader can do about it.
func (e *Error) Hint() string { return hints[e.Op][e.Errno] }

// Run does o and turns what goes wrong into an *Error.
func Run(o Op, k *sys.Kernel, t *Target) error {
	return wrap(o, o.Do(k, t))
}

// Remover is an Undoer that takes back what it did by removing a path of the host
// with all that is in it.
type Remover interface {
	Undoer
	Removes() string
}

// Takeback undoes o and turns what goes wrong into an *Error.
func Takeback(o Undoer, k *sys.Kernel) error {
	return wrap(o, o.Undo(k))
}

func wrap(o Op, err error) error {
	if err == nil {
		return nil
	}
	e := &Error{Op: o.Name(), What: o.Name()}
	var placed *placed
	if errors.As(err, &placed) {
		e.What, err = placed.what, placed.err
	}
	if !errors.As(err, &e.Errno) {
		e.Fact = err.Error()
	}
	return e
}

// placed is an error together with the verb, object and place it belongs to.
type placed struct {
	what string
	err  error
}

func (p *placed) Error() string { return p.what + ": " + p.err.Error() }
func (p *placed) Unwrap() error { return p.err }

// at says what was being done when err came up; nil stays nil.
func at(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &placed{what: fmt.Sprintf(format, args...), err: err}
}
