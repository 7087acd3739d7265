package vm

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"cutaway/vm/wire"

	"golang.org/x/term"
)

// terminal sets the person's terminal raw, so that ^C, ^Z and the rest are for
// the command, and has the size of its window follow. restore undoes it.
func (l *Link) terminal(id uint32, c Command) (restore func(), err error) {
	cooked := func() {}
	if in, ok := c.Stdin.(*os.File); ok && c.Terminal[wire.Stdin] && term.IsTerminal(int(in.Fd())) {
		before, err := term.MakeRaw(int(in.Fd()))
		if err != nil {
			return nil, fmt.Errorf("set the terminal raw: %w", err)
		}
		// There is nobody left to tell if this does not work.
		cooked = func() { _ = term.Restore(int(in.Fd()), before) }
	}
	resized := make(chan os.Signal, 1)
	signal.Notify(resized, syscall.SIGWINCH)
	go func() {
		for range resized {
			if size := windowSize(c); size.Rows > 0 {
				// An error is one of the connection, which Run reports.
				_ = l.conn.SendJSON(id, wire.Resize, size)
			}
		}
	}()
	return func() {
		signal.Stop(resized)
		close(resized)
		cooked()
	}, nil
}

// windowSize is the size of the window the command's output goes to, else a
// terminal's of old.
func windowSize(c Command) wire.Size {
	for _, f := range []any{c.Stdout, c.Stdin} {
		if f, ok := f.(*os.File); ok {
			if cols, rows, err := term.GetSize(int(f.Fd())); err == nil {
				return wire.Size{Rows: uint16(rows), Cols: uint16(cols)}
			}
		}
	}
	return wire.Size{Rows: 24, Cols: 80}
}

// signal passes a signal on to the command's processes.
func (l *Link) signal(id uint32, sig os.Signal) {
	if n, ok := sig.(syscall.Signal); ok {
		_ = l.conn.Send(wire.Frame{Session: id, Kind: wire.Signal, Body: []byte{byte(n)}}) // as above
	}
}
