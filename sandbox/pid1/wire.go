// Package pid1 is the process that becomes the container's payload: init. It
// shares the host's view of the Plan by compiling the same Spec, does the steps
// it is told to by number, and ends by executing the payload in its own place.
//
// Its one invariant: init makes no decision. Which step, when and whether is
// the host's business; what init knows, it was told in the first message.
//
// The package is linked into a small binary of its own (cmd/cutaway-init), so
// that starting a container pays for nothing it does not use. Read wire.go for
// what is said between the two, then init.go for what init does.
package pid1

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"time"

	"cutaway/sandbox/features"
	"cutaway/sandbox/op"
	"cutaway/sandbox/plan"
	"cutaway/sandbox/sys"
)

// SocketFD is the descriptor on which init finds its end of the socketpair.
const SocketFD = 3

// IDVariable marks every process of a container in its environment: without a PID
// namespace nothing else ties the children of init, or of the payload, to the lab
// once their parent is gone.
const IDVariable = "CUTAWAY_ID"

// MaxMessage is the largest message in bytes that goes through the socket, whose
// buffer has about 208 KiB by default: socket(7), wmem_default. The longest is
// the Spec; one with more environment and arguments than that goes in a file of
// memory beside the message long, up to MaxLong. execve(2) takes a few MiB.
const (
	MaxMessage = 192 << 10
	MaxLong    = 16 << 20
	long       = "long"
)

// Hello is the host's first message.
type Hello struct {
	Spec     plan.Spec
	Features features.Features
	// Quiet: nobody watches. Steps are not recorded, and unshares are fused.
	Quiet bool
	// Steps is how long the host's Plan is, to notice an init built from other
	// sources.
	Steps int
}

// Plan compiles what both sides go by.
func (h Hello) Plan() (plan.Plan, error) {
	p, err := plan.Compile(h.Spec, h.Features)
	if h.Quiet {
		p = p.Fused()
	}
	if err == nil && h.Steps != 0 && h.Steps != len(p) {
		err = fmt.Errorf("init compiled %d steps where the host has %d: they were built from different sources", len(p), h.Steps)
	}
	return p, err
}

// Compiled has the seccomp filter in place of the profile. The host has time to
// make it, while init starts up, and the names of the calls would be most of the
// message. A profile that makes none stays: the step that loads it says why.
func (h Hello) Compiled() Hello {
	if profile := h.Spec.Linux.Seccomp; profile != nil {
		if compiled, err := profile.Compiled(); err == nil {
			h.Spec.Linux.Seccomp = &compiled
		}
	}
	return h
}

// Request asks init to do steps, in this order, or to start a program beside
// itself and wait for it. The descriptor that comes with Spawn becomes the
// program's terminal.
type Request struct {
	Do    []int // indexes into the Plan
	Spawn []string
	PID   int // init's own pid on the host, for what it shows
}

// Reply is init's answer. For each request there is one with Done, unless the
// payload was executed: then the socket closes instead.
type Reply struct {
	Done   bool
	Step   int        // the last step begun
	Calls  []sys.Call // made since the last reply
	Error  *op.Error  // why the step was refused
	Master bool       // the container's terminal comes with this reply
	Status int        // exit status of what Spawn started
	Micros int64      // time the calls took, microseconds
}

// Channel is the host's end of the conversation; init uses one too.
type Channel struct {
	socket sys.Socket
	buf    []byte
}

// NewChannel wraps one end of the socketpair.
func NewChannel(s sys.Socket) *Channel {
	return &Channel{socket: s, buf: make([]byte, MaxMessage)}
}

// Send writes one message, with a descriptor beside it unless fd is -1.
func (c *Channel) Send(message any, fd int) error {
	b, err := marshal(message)
	if err != nil {
		return err
	}
	switch {
	case len(b) <= MaxMessage:
		return c.socket.Send(b, fd)
	case len(b) > MaxLong || fd >= 0:
		return fmt.Errorf("tell init of %d bytes of arguments, environment and settings: the limit is %d", len(b), MaxLong)
	}
	file, err := sys.SealedCopy("cutaway-message", bytes.NewReader(b))
	if err != nil {
		return err
	}
	defer sys.CloseFD(file)
	return c.socket.Send([]byte(long), file)
}

// Receive reads one message into v and gives the descriptor beside it, or -1.
// The error is io.EOF once the other side has closed its end.
func (c *Channel) Receive(v any) (fd int, err error) {
	n, fd, err := c.socket.Receive(c.buf)
	if err != nil {
		return -1, err
	}
	if message := c.buf[:n]; string(message) != long {
		return fd, unmarshal(message, v)
	}
	file := os.NewFile(uintptr(fd), "cutaway-message")
	defer file.Close()
	message, err := io.ReadAll(io.NewSectionReader(file, 0, MaxLong))
	if err != nil {
		return -1, err
	}
	return -1, unmarshal(message, v)
}

// Ready reports whether Receive would return at once, waiting at most d.
func (c *Channel) Ready(d time.Duration) bool { return c.socket.Ready(d) }

// Close closes this end.
func (c *Channel) Close() error { return c.socket.Close() }
