package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"cutaway/sandbox/sys"

	"github.com/creack/pty"
	"golang.org/x/term"
)

// openPTY opens a terminal of the host's own devpts: for a shell inside a
// container that has no terminals yet.
func openPTY() (master, slave *os.File, err error) {
	if master, slave, err = pty.Open(); err == nil {
		master, err = sys.Interruptible(master)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("open a terminal: %w", err)
	}
	return master, slave, nil
}

// OpenTerminal is openPTY for a whole container: slave is its standard input,
// output and error, master what Relay connects.
func OpenTerminal() (master, slave *os.File, err error) { return openPTY() }

// Relay connects the person at in and out to the terminal master until the
// other side closes it or ctx ends: keys go in as they are typed, ^C and ^Z
// included, and the size of the window follows.
func Relay(ctx context.Context, in, out, master *os.File) error {
	if term.IsTerminal(int(in.Fd())) {
		before, err := term.MakeRaw(int(in.Fd()))
		if err != nil {
			return fmt.Errorf("set the terminal raw: %w", err)
		}
		defer term.Restore(int(in.Fd()), before)
		resize := make(chan os.Signal, 1)
		signal.Notify(resize, syscall.SIGWINCH)
		defer signal.Stop(resize)
		go func() {
			for range resize {
				if columns, rows, err := term.GetSize(int(in.Fd())); err == nil {
					// A size that cannot be set leaves the old one.
					_ = sys.SetWindow(master, uint16(rows), uint16(columns))
				}
			}
		}()
		resize <- syscall.SIGWINCH
	}
	stop := context.AfterFunc(ctx, func() { master.Close() })
	defer stop()
	keys, err := startKeys(in, master)
	if err != nil {
		return err
	}
	defer keys.stop()
	_, err = io.Copy(out, master)
	if errors.Is(err, syscall.EIO) || errors.Is(err, os.ErrClosed) {
		return ctx.Err() // EIO is how Linux says that the last process has closed it
	}
	return err
}

// keepModes notes how the person's terminal is set, if one of these is it; restore
// sets it so again, whatever a payload that had it for its own has made of it.
func keepModes(stdio [3]*os.File) (restore func()) {
	for _, f := range stdio {
		before, err := term.GetState(int(f.Fd()))
		if err != nil {
			continue // no terminal
		}
		return func() {
			// A shell may have put itself in the foreground and not us back, and whoever
			// is in the background is stopped for this: tcsetattr(3), SIGTTOU.
			signal.Ignore(syscall.SIGTTOU)
			defer signal.Reset(syscall.SIGTTOU)
			_ = term.Restore(int(f.Fd()), before) // it may have gone
		}
	}
	return func() {}
}
