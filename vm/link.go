package vm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"cutaway/vm/wire"
)

// ErrLost says that the machine ended while somebody was using it.
var ErrLost = errors.New("the machine is gone")

// Link is a connection to a guest, direct or through the process that keeps the
// machine: what runs commands there.
type Link struct {
	conn *wire.Conn
	// Greeting is what the guest said when it was ready.
	Greeting wire.Greeting
	gone     chan struct{} // closed when the connection has ended
	lost     func() error  // explains that; nil: ErrLost is all that is known

	mu       sync.Mutex
	sessions map[uint32]*session
	last     uint32
}

// session is the near end of a command.
type session struct {
	stdin *wire.Sender
	out   [3]*wire.Receiver // 1 and 2 are used
	exit  chan wire.Ended
}

// newLink takes over a connection after the greeting.
func newLink(conn *wire.Conn, g wire.Greeting) *Link {
	l := &Link{conn: conn, Greeting: g, gone: make(chan struct{}), sessions: map[uint32]*session{}}
	go l.receive()
	return l
}

// Close hangs up.
func (l *Link) Close() error { return l.conn.Close() }

// receive handles frames until the connection ends.
func (l *Link) receive() {
	defer close(l.gone)
	for {
		f, err := l.conn.Receive()
		if err != nil {
			return
		}
		if f.Kind == wire.Lost {
			var loss wire.Loss
			if f.Decode(&loss) == nil {
				l.lost = func() error { return &BootError{Fact: loss.Fact, Console: loss.Console, err: ErrLost} }
			}
			return
		}
		l.mu.Lock()
		s := l.sessions[f.Session]
		l.mu.Unlock()
		if s != nil {
			s.take(f)
		}
	}
}

// take does what a frame from the guest asks for.
func (s *session) take(f wire.Frame) {
	switch f.Kind {
	case wire.Data:
		if len(f.Body) > 1 && f.Body[0] < 3 && s.out[f.Body[0]] != nil {
			s.out[f.Body[0]].Put(f.Body[1:])
		}
	case wire.End:
		if len(f.Body) == 1 && f.Body[0] < 3 && s.out[f.Body[0]] != nil {
			s.out[f.Body[0]].End()
		}
	case wire.Credit:
		if stream, n, ok := wire.CreditOf(f); ok && stream == wire.Stdin {
			s.stdin.Grant(n)
		}
	case wire.Unread:
		s.stdin.Break()
	case wire.Exit:
		var e wire.Ended
		if err := f.Decode(&e); err != nil {
			e = wire.Ended{Status: 126, Error: err.Error()}
		}
		s.exit <- e
	}
}

// Command is a command for the guest and what it is connected to.
type Command struct {
	Args           []string
	Env            []string // added to the guest's own
	Dir            string   // "": /root
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Terminal says which of its descriptors 0, 1 and 2 are a terminal: 1, or none.
	// If 0 is and Stdin is the person's terminal, that is raw while the command runs.
	Terminal [3]bool
	// Signals are passed on to the command.
	Signals <-chan os.Signal
	// Started, when set, is called when the command is on its way.
	Started func()
}

// StartError says that the guest could not begin a command.
type StartError struct {
	Status int // as a shell has it: 126 or 127
	Fact   string
}

func (e *StartError) Error() string { return "in the microVM: " + e.Fact }

// Run runs a command in the guest and returns its exit status. When ctx ends,
// the command is killed.
func (l *Link) Run(ctx context.Context, c Command) (int, error) {
	s, id, err := l.begin(c)
	if err != nil {
		return 0, err
	}
	defer l.forget(id)
	defer s.stdin.Break()
	if c.Started != nil {
		c.Started()
	}
	if c.Terminal[wire.Stdout] {
		restore, err := l.terminal(id, c)
		if err != nil {
			return 0, err
		}
		defer restore()
	}
	for {
		select {
		case e := <-s.exit:
			return l.finish(s, e)
		case sig := <-c.Signals:
			l.signal(id, sig)
		case <-l.gone:
			return 0, fmt.Errorf("run %s: %w", c.Args[0], l.why())
		case <-ctx.Done():
			// The guest may be gone or hung: then nobody reads this.
			_ = l.conn.Send(wire.Frame{Session: id, Kind: wire.Abort})
			return 0, fmt.Errorf("run %s: %w", c.Args[0], context.Cause(ctx))
		}
	}
}

// why explains a connection that has ended, or is about to.
func (l *Link) why() error {
	<-l.gone
	if l.lost == nil {
		return ErrLost
	}
	return l.lost()
}

// begin sends the command off.
func (l *Link) begin(c Command) (*session, uint32, error) {
	if len(c.Args) == 0 {
		return nil, 0, errors.New("run a command in the microVM: none was given")
	}
	s := &session{exit: make(chan wire.Ended, 1)}
	l.mu.Lock()
	l.last++
	id := l.last
	s.stdin = wire.NewSender(l.conn, id, wire.Stdin)
	s.out[wire.Stdout] = wire.NewReceiver(l.conn, id, wire.Stdout, orDiscard(c.Stdout))
	if !c.Terminal[wire.Stderr] {
		s.out[wire.Stderr] = wire.NewReceiver(l.conn, id, wire.Stderr, orDiscard(c.Stderr))
	}
	l.sessions[id] = s
	l.mu.Unlock()
	start := wire.Command{Args: c.Args, Env: c.Env, Dir: c.Dir, Terminal: c.Terminal, Now: time.Now().UnixNano()}
	if c.Terminal[wire.Stdout] {
		start.Size = windowSize(c)
	}
	if err := l.conn.SendJSON(id, wire.Start, start); err != nil {
		l.forget(id)
		l.conn.Close()
		return nil, 0, fmt.Errorf("run %s: %w", c.Args[0], l.why())
	}
	go func() {
		if c.Stdin != nil {
			// What goes wrong with reading ends the input; with sending, the session.
			_, _ = io.Copy(s.stdin, c.Stdin)
		}
		_ = s.stdin.Close()
	}()
	return s, id, nil
}

// finish waits for the output that is still on its way to its destination.
func (l *Link) finish(s *session, e wire.Ended) (int, error) {
	if e.Error != "" {
		return e.Status, &StartError{e.Status, e.Error}
	}
	for _, out := range s.out {
		if out == nil {
			continue
		}
		<-out.Done()
		if err := out.Err(); err != nil {
			return e.Status, fmt.Errorf("write the command's output: %w", err)
		}
	}
	return e.Status, nil
}

// forget ends a session on this side.
func (l *Link) forget(id uint32) {
	l.mu.Lock()
	s := l.sessions[id]
	delete(l.sessions, id)
	l.mu.Unlock()
	for _, out := range s.out {
		if out != nil {
			out.End()
		}
	}
}

func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}
