package run

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"cutaway/sandbox"
)

// grace is how long a payload that was sent a signal has to end by itself.
const grace = 10 * time.Second

// Patience decides what a signal that asks us to end does: at first everything
// under way is taken down; once a payload has begun, the signal is the
// payload's, and only the second one, or the end of the grace, takes it down.
type Patience struct {
	begun, silent atomic.Bool
}

// Begin tells that the payload has begun.
func (p *Patience) Begin() { p.begun.Store(true) }

// Give is Begin for a payload that is a cutaway itself, which says what there is
// to be said.
func (p *Patience) Give() {
	p.silent.Store(true)
	p.Begin()
}

// UntilSignal gives a context that SIGINT, SIGTERM, SIGQUIT or SIGHUP ends, with a
// *SignalError as its cause. After that a further signal ends this process at once,
// and what it leaves behind the next run or cutaway clean undoes; but not a further
// SIGHUP: the kernel sends it, and a shell does so again.
func UntilSignal(parent context.Context) (context.Context, *Patience) {
	ctx, cancel := context.WithCancelCause(parent)
	p := &Patience{}
	signals, gone := make(chan os.Signal, 2), make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT)
	// A terminal that has gone is nothing to whoever wants to outlive it, nohup(1), or
	// has none: SIGHUP is but the payload's then.
	if !signal.Ignored(syscall.SIGHUP) && !sandbox.Detached() {
		signal.Notify(gone, syscall.SIGHUP)
	}
	go func() {
		// A reader that has seen enough, as head(1) or a pager does, must not kill us
		// with a container half built: caught, and not ignored, which a payload would
		// inherit, SIGPIPE leaves it at EPIPE for the write. Each signal takes a word
		// with another thread of the runtime, and nothing is written as soon as that.
		signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
		cancel(&SignalError{p.last(signals, gone)})
		signal.Stop(signals)
	}()
	return ctx, p
}

// last waits for the signal that ends what is under way.
func (p *Patience) last(signals, gone <-chan os.Signal) syscall.Signal {
	var s os.Signal
	select {
	case s = <-signals:
	case s = <-gone:
	}
	if p.begun.Load() {
		if !p.silent.Load() {
			fmt.Fprintf(os.Stderr, "cutaway: passed on to the payload, which has %v to end; once more ends it now\n", grace)
		}
		select {
		case s = <-signals:
		case <-time.After(grace):
		}
	}
	return s.(syscall.Signal)
}
