package sandbox

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"cutaway/sandbox/plan"
	"cutaway/sandbox/sys"
)

// Run makes a container, waits for its payload to end and removes it. With
// terminal, o.Stdio is a person's terminal and the container gets one of its
// own. Signals that reach us go on to the payload; when ctx ends, so does it.
func Run(ctx context.Context, l *Lab, spec plan.Spec, o Options, terminal bool) (exit sys.Exit, err error) {
	person := o.Stdio
	var master *os.File
	if !terminal {
		defer keepModes(person)()
	}
	if terminal {
		if spec.Linux.Devices {
			spec.Process.Terminal = true
		} else {
			var slave *os.File
			if master, slave, err = openPTY(); err != nil {
				return exit, err
			}
			defer slave.Close()
			o.Stdio, o.Setctty = [3]*os.File{slave, slave, slave}, true
		}
	}
	var signals passedOn
	o.Meanwhile = func() { signals = passSignals(terminal) }
	defer func() { signals.end() }()
	c, ended, err := l.begin(ctx, spec, o)
	if err != nil {
		return exit, err
	}
	defer func() { err = errors.Join(err, ended(), c.Remove()) }()
	stop := context.AfterFunc(ctx, c.Kill)
	defer stop()
	go signals.to(c)
	if o.Started != nil {
		if err := o.Started(c); err != nil {
			return exit, err
		}
	}
	if c.Terminal != nil {
		master = c.Terminal
	}
	if master == nil {
		return c.Wait()
	}
	if o.Setctty { // ours to close, so that the last copy is the payload's
		o.Stdio[0].Close()
	}
	relayed := make(chan error, 1)
	go func() { relayed <- Relay(ctx, person[0], person[1], master) }()
	exit, err = c.Wait()
	return exit, errors.Join(err, lastWords(relayed, master))
}

// lastWords waits for what a terminal still says once its shell has ended. Somebody
// who goes on in the background may hold it open; then we let go of it.
func lastWords(relayed <-chan error, master *os.File) error {
	select {
	case err := <-relayed:
		return err
	case <-time.After(time.Second):
		master.Close()
		return <-relayed
	}
}

// begin is Start, with a log if there is to be one; ended is for when the payload
// has ended.
func (l *Lab) begin(ctx context.Context, spec plan.Spec, o Options) (c *Container, ended func() error, err error) {
	if !o.Log {
		c, err = l.Start(ctx, spec, o)
		return c, func() error { return nil }, err
	}
	c, log, err := l.startLogged(ctx, spec, o)
	return c, log.end, err
}

// passedOn are the signals that reach this process and are the payload's.
type passedOn chan os.Signal

// passSignals begins to catch them, shortly before there is a payload. Each is a
// word with another thread of the runtime. SIGHUP is among them only now: where we
// ignore it, nohup(1), so does init, and what it becomes. From a terminal in raw mode
// ^C reaches a payload in the foreground by itself, and so does the size of the window.
func passSignals(terminal bool) passedOn {
	caught := make(passedOn, 8)
	all := []os.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGHUP, syscall.SIGWINCH}
	if terminal {
		all = all[:6]
	}
	signal.Notify(caught, all...)
	return caught
}

// to sends them on.
func (p passedOn) to(c *Container) {
	for s := range p {
		c.Signal(s.(syscall.Signal))
	}
}

// end catches no more. Nobody waits for that.
func (p passedOn) end() {
	if p == nil { // it has not come to that
		return
	}
	go func() {
		signal.Stop(p)
		close(p)
	}()
}
