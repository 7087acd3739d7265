package guest

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"cutaway/sandbox/sys"
	"cutaway/vm/wire"
)

// server runs the sessions of a machine.
type server struct {
	conn *wire.Conn

	mu       sync.Mutex
	sessions map[uint32]*session
	children map[int]*session // by the pid of their command
}

// serve greets the host and does what it says until it hangs up.
func serve(p *port) error {
	s := &server{conn: wire.NewConn(p), sessions: map[uint32]*session{}, children: map[int]*session{}}
	release, err := sys.KernelRelease()
	if err != nil {
		return err
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD) // before there can be a child
	go s.reap(ended)
	if err := s.conn.SendJSON(0, wire.Hello, wire.Greeting{Kernel: release, Uptime: uptime()}); err != nil {
		return err
	}
	for {
		f, err := s.conn.Receive()
		if err != nil {
			return nil // nobody is there any more, which is how a machine ends
		}
		if err := s.take(f); err != nil {
			return err
		}
	}
}

// take does what one frame asks for. An error is a broken protocol.
func (s *server) take(f wire.Frame) error {
	switch f.Kind {
	case wire.Start:
		var c wire.Command
		if err := f.Decode(&c); err != nil {
			return err
		}
		s.start(f.Session, c)
		return nil
	case wire.Ping:
		return s.conn.Send(wire.Frame{Kind: wire.Ping})
	}
	s.mu.Lock()
	one := s.sessions[f.Session]
	s.mu.Unlock()
	if one == nil {
		return nil // it has just ended
	}
	return one.take(f)
}

// start begins a session; one that cannot begin ends at once.
func (s *server) start(id uint32, c wire.Command) {
	if c.Now > 0 {
		// The machine may have no clock of its own. One that cannot be set is wrong
		// and does no harm.
		_ = sys.SetClock(time.Unix(0, c.Now))
	}
	// The lock is held over fork and registration: reap must know each child.
	s.mu.Lock()
	one, err := begin(s.conn, id, c)
	if err == nil {
		s.sessions[id], s.children[one.pid] = one, one
	}
	s.mu.Unlock()
	if err != nil {
		// If this cannot be sent, the host is gone, which serve notices.
		_ = s.conn.SendJSON(id, wire.Exit, wire.Ended{Status: cannotStart(err), Error: err.Error()})
		return
	}
	go func() {
		ended := one.finish()
		s.mu.Lock()
		delete(s.sessions, id)
		s.mu.Unlock()
		_ = s.conn.SendJSON(id, wire.Exit, ended) // as above
	}()
}

// reap collects every process that ends: PID 1 inherits all orphans.
func (s *server) reap(ended <-chan os.Signal) {
	for range ended {
		s.mu.Lock()
		for {
			var ws syscall.WaitStatus
			pid, err := syscall.Wait4(-1, &ws, syscall.WNOHANG, nil)
			if err == syscall.EINTR {
				continue
			}
			if err != nil || pid <= 0 {
				break
			}
			if one := s.children[pid]; one != nil {
				delete(s.children, pid)
				one.ended <- ws
			}
		}
		s.mu.Unlock()
	}
}
