package guest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"cutaway/sandbox/sys"
	"cutaway/vm/wire"

	"github.com/creack/pty"
)

// linger is how long output is awaited after a command has ended: others may
// hold its descriptors open.
const linger = time.Second

// session is one command with its streams.
type session struct {
	pid    int
	ended  chan syscall.WaitStatus
	stdin  *wire.Receiver
	input  *os.File              // what stdin is written to
	out    map[byte]*wire.Sender // by the stream's number
	source []*os.File            // what the senders read from
	copied sync.WaitGroup        // over the senders
	over   atomic.Bool           // the command has ended
	master *os.File              // of its terminal, nil without one
}

// begin starts the command of a session.
func begin(conn *wire.Conn, id uint32, c wire.Command) (*session, error) {
	if len(c.Args) == 0 {
		return nil, errors.New("run a command: none was given")
	}
	path, err := exec.LookPath(c.Args[0])
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", c.Args[0], errors.Unwrap(err))
	}
	if c.Dir == "" {
		c.Dir = os.Getenv("HOME")
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	s := &session{ended: make(chan syscall.WaitStatus, 1), out: map[byte]*wire.Sender{}}
	files, err := s.open(conn, id, c)
	if err != nil {
		return nil, err
	}
	attr := &syscall.ProcAttr{Dir: c.Dir, Env: append(os.Environ(), c.Env...), Sys: &syscall.SysProcAttr{Setsid: true}}
	if c.Terminal[wire.Stdout] {
		attr.Sys.Setctty, attr.Sys.Ctty = true, wire.Stdout
	}
	for _, f := range files {
		attr.Files = append(attr.Files, f.Fd())
	}
	s.pid, err = syscall.ForkExec(path, c.Args, attr)
	for _, f := range files {
		f.Close()
	}
	if err != nil {
		s.close()
		return nil, fmt.Errorf("run %s in %s: %w", c.Args[0], c.Dir, err)
	}
	s.stdin = wire.NewReceiver(conn, id, wire.Stdin, s.input)
	go func() {
		<-s.stdin.Done()
		switch {
		case s.input != s.master:
			s.input.Close()
		case !s.over.Load(): // whoever sat at the terminal has gone, which a kernel tells the leader so
			_ = syscall.Kill(s.pid, syscall.SIGHUP) // it may have ended just now
			_ = syscall.Kill(s.pid, syscall.SIGCONT)
		}
	}()
	return s, nil
}

// open makes the command's descriptors 0, 1 and 2, and starts what reads them.
func (s *session) open(conn *wire.Conn, id uint32, c wire.Command) (files []*os.File, err error) {
	defer func() {
		if err != nil {
			s.close()
			for _, f := range files {
				f.Close()
			}
		}
	}()
	var slave *os.File
	if c.Terminal[wire.Stdout] {
		if s.master, slave, err = pty.Open(); err == nil {
			s.master, err = sys.Interruptible(s.master)
		}
		if err != nil {
			return nil, fmt.Errorf("open a terminal: %w", err)
		}
		s.resize(c.Size)
		s.forward(wire.NewSender(conn, id, wire.Stdout), wire.Stdout, s.master)
	}
	for stream, terminal := range c.Terminal {
		near, far := s.master, slave // the session's end, and the command's
		switch {
		case terminal && slave == nil:
			err = errors.New("open a terminal: standard output is none")
		case !terminal && stream == wire.Stdin:
			far, near, err = os.Pipe()
		case !terminal:
			near, far, err = os.Pipe()
		}
		if err != nil {
			return files, err
		}
		files = append(files, far)
		if stream == wire.Stdin {
			s.input = near
		} else if !terminal {
			s.forward(wire.NewSender(conn, id, byte(stream)), byte(stream), near)
		}
	}
	return files, nil
}

// forward sends all that can be read from f.
func (s *session) forward(to *wire.Sender, stream byte, f *os.File) {
	s.out[stream] = to
	s.source = append(s.source, f)
	s.copied.Add(1)
	go func() {
		defer s.copied.Done()
		buf := make([]byte, 32<<10)
		for {
			if s.over.Load() {
				// Without effect on a file that cannot wait, which is none of ours.
				_ = f.SetReadDeadline(time.Now().Add(linger))
			}
			// The end of a terminal reads as EIO. Anything else ends the stream, too,
			// and the command hears of it.
			n, err := f.Read(buf)
			_, broken := to.Write(buf[:n])
			if broken != nil {
				f.Close() // the command gets SIGPIPE for more
			}
			if err != nil || broken != nil {
				break
			}
		}
		_ = to.Close() // the connection's errors are its reader's
	}()
}

// take does what a frame for the session asks for.
func (s *session) take(f wire.Frame) error {
	switch f.Kind {
	case wire.Data:
		if len(f.Body) > 1 {
			s.stdin.Put(f.Body[1:])
		}
	case wire.End:
		s.stdin.End()
	case wire.Credit:
		if stream, n, ok := wire.CreditOf(f); ok && s.out[stream] != nil {
			s.out[stream].Grant(n)
		}
	case wire.Signal:
		if len(f.Body) == 1 {
			// A process group that has just ended is none to complain about.
			_ = syscall.Kill(-s.pid, syscall.Signal(f.Body[0]))
		}
	case wire.Unread:
		if len(f.Body) == 1 && s.out[f.Body[0]] != nil {
			s.out[f.Body[0]].Break()
		}
	case wire.Abort:
		s.abort()
	case wire.Resize:
		var size wire.Size
		if err := f.Decode(&size); err != nil {
			return err
		}
		s.resize(size)
	}
	return nil
}

// resize sets the terminal's window; its processes get SIGWINCH from the kernel.
func (s *session) resize(size wire.Size) {
	if s.master != nil && size.Rows > 0 {
		// A size that cannot be set leaves the old one.
		_ = sys.SetWindow(s.master, size.Rows, size.Cols)
	}
}

// finish waits for the command, and for its output to be taken by the host.
func (s *session) finish() wire.Ended {
	ws := <-s.ended
	s.over.Store(true)
	for _, f := range s.source {
		_ = f.SetReadDeadline(time.Now().Add(linger)) // as in forward
	}
	s.copied.Wait()
	s.stdin.End()
	s.close()
	if ws.Signaled() {
		return wire.Ended{Status: 128 + int(ws.Signal())}
	}
	return wire.Ended{Status: ws.ExitStatus()}
}

// abort ends a session whose host side has gone.
func (s *session) abort() {
	for _, out := range s.out {
		out.Break()
	}
	s.stdin.End()
	// The group may have ended; its background jobs in a terminal get SIGHUP.
	_ = syscall.Kill(-s.pid, syscall.SIGKILL)
}

// close ends the streams on this side.
func (s *session) close() {
	if s.input != nil {
		s.input.Close()
	}
	for _, f := range s.source {
		f.Close()
	}
}

// cannotStart is the status a shell gives for a command that did not begin:
// sh(1), EXIT STATUS.
func cannotStart(err error) int {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return 127
	}
	return 126
}
