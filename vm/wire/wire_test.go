package wire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// pair is a sender and a receiver at the two ends of a connection.
func pair(t *testing.T, to io.Writer) (*Sender, *Receiver) {
	a, b := net.Pipe()
	t.Cleanup(func() { a.Close(); b.Close() })
	near, far := NewConn(a), NewConn(b)
	s, r := NewSender(near, 7, Stdout), NewReceiver(far, 7, Stdout, to)
	go func() {
		for {
			f, err := far.Receive()
			if err != nil {
				return
			}
			switch f.Kind {
			case Data:
				r.Put(f.Body[1:])
			case End:
				r.End()
			}
		}
	}()
	go func() {
		for {
			f, err := near.Receive()
			if err != nil {
				return
			}
			if _, n, ok := CreditOf(f); ok {
				s.Grant(n)
			}
		}
	}()
	return s, r
}

func TestStream(t *testing.T) {
	sent := bytes.Repeat([]byte("0123456789abcdef"), Window/4) // four windows
	var got bytes.Buffer
	s, r := pair(t, &got)
	_, err := s.Write(sent)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	<-r.Done()
	require.NoError(t, r.Err())
	require.Equal(t, sent, got.Bytes())
}

type stuck chan struct{}

func (s stuck) Write(b []byte) (int, error) { <-s; return len(b), nil }

// A destination that takes nothing stops the sender after one window, and only
// that; breaking the stream frees whoever writes.
func TestWindow(t *testing.T) {
	destination := make(stuck)
	s, _ := pair(t, destination)
	written := make(chan int)
	go func() {
		n, err := s.Write(make([]byte, 2*Window))
		if !errors.Is(err, io.ErrClosedPipe) {
			n = -1
		}
		written <- n
	}()
	select {
	case <-written:
		t.Fatal("more than a window was under way")
	case <-time.After(50 * time.Millisecond):
	}
	s.Break()
	require.Equal(t, Window, <-written)
	close(destination)
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// A destination that fails does not hold up the sender.
func TestDestinationFails(t *testing.T) {
	s, r := pair(t, full{})
	_, err := s.Write(make([]byte, 4*Window))
	require.NoError(t, err)
	require.NoError(t, s.Close())
	<-r.Done()
	require.ErrorIs(t, r.Err(), io.ErrShortWrite)
}

func TestFrames(t *testing.T) {
	a, b := net.Pipe()
	near, far := NewConn(a), NewConn(b)
	go func() {
		near.SendJSON(3, Start, Command{Args: []string{"a", "b c"}, Terminal: [3]bool{true, true, true}, Size: Size{24, 80}})
		a.Write([]byte{0, 0, 0, 0, byte(Data), 0xff, 0xff, 0xff, 0xff})
	}()
	f, err := far.Receive()
	require.NoError(t, err)
	var c Command
	require.NoError(t, f.Decode(&c))
	require.Equal(t, uint32(3), f.Session)
	require.Equal(t, []string{"a", "b c"}, c.Args)
	require.Equal(t, uint16(80), c.Size.Cols)
	_, err = far.Receive()
	require.ErrorContains(t, err, "more than")
	require.Error(t, Frame{Kind: Exit, Body: []byte("{")}.Decode(&c))
}
