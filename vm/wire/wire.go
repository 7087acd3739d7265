// Package wire is the protocol between a machine's guest and those outside: many
// sessions, each one command with its input and output, over one byte stream.
//
// Its one invariant: reading never waits for anybody but the peer. A sender has
// at most Window bytes of a stream under way, so a reader can always take a
// frame, and a session whose output nobody reads holds up no other. Control is
// JSON, so that a log of it can be read; data are bytes as they are. Read this
// file for the frames, stream.go for the streams.
package wire

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
)

// Kind says what a frame's body is.
type Kind uint8

// The frames, with who sends them. Session 0 is the machine itself.
const (
	Hello  Kind = iota + 1 // guest: Greeting, once, when it can run commands
	Start                  // host: Command, begins a session
	Data                   // both: the stream's number, then bytes
	End                    // both: the stream's number; no more data
	Credit                 // both: the stream's number, then how many bytes were consumed
	Signal                 // host: number of a signal for the session's processes
	Resize                 // host: Size
	Exit                   // guest: Ended, ends a session
	Abort                  // host: kill the session's processes, nobody wants its output
	Down                   // client: switch the machine off. For its keeper, not for the guest
	Lost                   // keeper: Loss, the machine has ended
	Ping                   // host: are you alive; guest: yes
	Unread                 // both: the stream's number; nobody reads it any more
)

// The streams of a session.
const (
	Stdin  = 0
	Stdout = 1
	Stderr = 2
)

// Greeting is what a guest says of itself.
type Greeting struct {
	Kernel string `json:"kernel"` // uname -r
	// Uptime of the guest's kernel when it was ready, in seconds.
	Uptime float64 `json:"uptime"`
}

// Command is what to run in a session.
type Command struct {
	Args []string `json:"args"`
	Env  []string `json:"env,omitempty"` // added to the guest's own
	Dir  string   `json:"dir,omitempty"` // "": /root
	// Terminal says which of its descriptors 0, 1 and 2 are its terminal, of this
	// Size; the others are streams of their own.
	Terminal [3]bool `json:"terminal"`
	Size     Size    `json:"size"`
	Now      int64   `json:"now,omitempty"` // the host's clock, nanoseconds since 1970
}

// Size is that of a terminal's window, in characters.
type Size struct {
	Rows uint16 `json:"rows"`
	Cols uint16 `json:"cols"`
}

// Ended is how a session's command ended. Error says why it never began; its
// status is then 126 or 127, as sh(1) has it.
type Ended struct {
	Status int    `json:"status"` // 128+n for signal n
	Error  string `json:"error,omitempty"`
}

// Loss says why a machine has ended.
type Loss struct {
	Fact    string   `json:"fact"`
	Console []string `json:"console,omitempty"` // the end of what it printed
}

// Frame is one message.
type Frame struct {
	Session uint32
	Kind    Kind
	Body    []byte
}

// header is session, kind and length of the body, little-endian, in bytes.
const header = 4 + 1 + 4

// bodyLimit bounds what a peer can make us allocate, in bytes.
const bodyLimit = 1 << 20

// Conn sends and receives frames. One goroutine may receive; any may send.
type Conn struct {
	rwc io.ReadWriteCloser
	in  *bufio.Reader
	mu  sync.Mutex // held while a frame is written
	got atomic.Uint64
}

// NewConn speaks the protocol over rwc.
func NewConn(rwc io.ReadWriteCloser) *Conn {
	return &Conn{rwc: rwc, in: bufio.NewReaderSize(rwc, 64<<10)}
}

// Close closes what is underneath; Receive then returns an error.
func (c *Conn) Close() error { return c.rwc.Close() }

// Receive reads one frame; io.EOF says that the peer has closed.
func (c *Conn) Receive() (Frame, error) {
	var h [header]byte
	if _, err := io.ReadFull(c.in, h[:]); err != nil {
		return Frame{}, err
	}
	n := binary.LittleEndian.Uint32(h[5:])
	if n > bodyLimit {
		return Frame{}, fmt.Errorf("receive a frame: %d bytes: more than %d", n, bodyLimit)
	}
	f := Frame{Session: binary.LittleEndian.Uint32(h[:]), Kind: Kind(h[4]), Body: make([]byte, n)}
	_, err := io.ReadFull(c.in, f.Body)
	c.got.Add(1)
	return f, err
}

// Received is how many frames have come so far: while it grows, the peer lives.
func (c *Conn) Received() uint64 { return c.got.Load() }

// Send writes one frame.
func (c *Conn) Send(f Frame) error {
	b := make([]byte, header, header+len(f.Body))
	binary.LittleEndian.PutUint32(b, f.Session)
	b[4] = byte(f.Kind)
	binary.LittleEndian.PutUint32(b[5:], uint32(len(f.Body)))
	b = append(b, f.Body...)
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.rwc.Write(b)
	return err
}

// SendJSON writes a frame whose body is v in JSON.
func (c *Conn) SendJSON(session uint32, kind Kind, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return c.Send(Frame{session, kind, body})
}

// Decode reads a body in JSON.
func (f Frame) Decode(v any) error {
	if err := json.Unmarshal(f.Body, v); err != nil {
		return fmt.Errorf("read frame %d of session %d: %w", f.Kind, f.Session, err)
	}
	return nil
}
