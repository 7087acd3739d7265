package wire

import (
	"encoding/binary"
	"io"
	"sync"
)

// Window is how much of a stream may be under way, in bytes: sent, and not yet
// consumed at the other end.
const Window = 256 << 10

// chunk is the most that one frame carries: a long one would hold up the others.
const chunk = 32 << 10

// Sender is the near end of a stream that goes out. It is an io.WriteCloser.
type Sender struct {
	conn    *Conn
	session uint32
	stream  byte

	mu     sync.Mutex
	change *sync.Cond
	credit int // bytes that may still be sent
	broken bool
}

// NewSender begins a stream.
func NewSender(c *Conn, session uint32, stream byte) *Sender {
	s := &Sender{conn: c, session: session, stream: stream, credit: Window}
	s.change = sync.NewCond(&s.mu)
	return s
}

// Write sends p, waiting for credit. After Break it returns io.ErrClosedPipe.
func (s *Sender) Write(p []byte) (int, error) {
	sent := 0
	for sent < len(p) {
		n, err := s.take(min(len(p)-sent, chunk))
		if err != nil {
			return sent, err
		}
		body := append([]byte{s.stream}, p[sent:sent+n]...)
		if err := s.conn.Send(Frame{s.session, Data, body}); err != nil {
			return sent, err
		}
		sent += n
	}
	return sent, nil
}

// take waits for credit and uses up to n bytes of it.
func (s *Sender) take(n int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.credit == 0 && !s.broken {
		s.change.Wait()
	}
	if s.broken {
		return 0, io.ErrClosedPipe
	}
	n = min(n, s.credit)
	s.credit -= n
	return n, nil
}

// Close tells the peer that no more comes.
func (s *Sender) Close() error {
	return s.conn.Send(Frame{s.session, End, []byte{s.stream}})
}

// Grant adds the credit of a Credit frame.
func (s *Sender) Grant(n int) {
	s.mu.Lock()
	s.credit += n
	s.mu.Unlock()
	s.change.Broadcast()
}

// Break ends the stream from this side: whoever waits to write stops.
func (s *Sender) Break() {
	s.mu.Lock()
	s.broken = true
	s.mu.Unlock()
	s.change.Broadcast()
}

// Receiver is the near end of a stream that comes in. What arrives is written
// to its destination by a goroutine of its own.
type Receiver struct {
	conn    *Conn
	session uint32
	stream  byte
	to      io.Writer
	done    chan struct{}
	err     error // of writing; read after done

	mu      sync.Mutex
	change  *sync.Cond
	waiting [][]byte
	ended   bool
}

// NewReceiver begins a stream that ends up in to.
func NewReceiver(c *Conn, session uint32, stream byte, to io.Writer) *Receiver {
	r := &Receiver{conn: c, session: session, stream: stream, to: to, done: make(chan struct{})}
	r.change = sync.NewCond(&r.mu)
	go r.deliver()
	return r
}

// Put takes the data of a frame; it does not wait.
func (r *Receiver) Put(b []byte) {
	r.mu.Lock()
	r.waiting = append(r.waiting, b)
	r.mu.Unlock()
	r.change.Signal()
}

// End says that no more comes.
func (r *Receiver) End() {
	r.mu.Lock()
	r.ended = true
	r.mu.Unlock()
	r.change.Signal()
}

// Done is closed when all has been delivered, after End.
func (r *Receiver) Done() <-chan struct{} { return r.done }

// Err is what went wrong with the destination. It is to be asked after Done.
func (r *Receiver) Err() error { return r.err }

// next waits for data; nil says there is no more.
func (r *Receiver) next() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.waiting) == 0 && !r.ended {
		r.change.Wait()
	}
	if len(r.waiting) == 0 {
		return nil
	}
	b := r.waiting[0]
	r.waiting = r.waiting[1:]
	return b
}

// deliver writes what comes in. When the destination fails, the peer is told,
// and what is on its way consumed, or the peer would wait for ever.
func (r *Receiver) deliver() {
	defer close(r.done)
	for b := r.next(); b != nil; b = r.next() {
		if r.err == nil {
			if _, r.err = r.to.Write(b); r.err != nil {
				_ = r.conn.Send(Frame{r.session, Unread, []byte{r.stream}}) // as below
			}
		}
		credit := binary.LittleEndian.AppendUint32([]byte{r.stream}, uint32(len(b)))
		// An error here is one of the connection, which its reader reports.
		_ = r.conn.Send(Frame{r.session, Credit, credit})
	}
}

// CreditOf reads the body of a Credit frame; ok is false for a malformed one.
func CreditOf(f Frame) (stream byte, n int, ok bool) {
	if len(f.Body) != 5 {
		return 0, 0, false
	}
	return f.Body[0], int(binary.LittleEndian.Uint32(f.Body[1:])), true
}
