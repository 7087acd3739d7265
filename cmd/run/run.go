// Package run is the verb of that name: a complete container from flags as docker
// run has them.
//
// Its one invariant: it knows no other verb, and neither registries nor microVMs,
// so that a program can be made of it that starts in a fifth of the time. Both
// programs are: cmd/front, which is what bin/cutaway is, and cmd/cutaway, which has
// all verbs. Read flags.go for what can be wished for, then this file.
package run

import (
	"context"
	"errors"
	"fmt"
	"os"

	"cutaway/sandbox"
	"cutaway/sandbox/plan"

	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// marker is made by whoever provisions a disposable machine. That it is a file
// of root's and no variable is on purpose: nobody sets it by accident.
const marker = "/etc/cutaway-machine"

// Disposable reports whether this is a lab machine: one that may be broken.
func Disposable() bool {
	_, err := os.Stat(marker)
	return err == nil
}

// Place gives a set the flag --in, which says where containers are built.
func Place(fs *pflag.FlagSet, in *string) {
	fs.StringVar(in, "in", "auto", "build containers `WHERE`: host is this machine, vm a microVM; auto is vm, but host in a machine made for it")
}

// Here decides by the value of --in whether containers are built on this machine:
// on somebody's own only if they say so.
func Here(in string) bool { return in == "host" || in == "auto" && Disposable() }

// State gives a set the flag --state, which says where files are kept.
func State(fs *pflag.FlagSet, dir *string) {
	fs.StringVar(dir, "state", os.Getenv("CUTAWAY_STATE"), "keep images and root filesystems in `DIR`; also $CUTAWAY_STATE")
}

// Payload makes the container of spec, or what o.Rest adds to it, waits for its
// payload to end and returns the exit status. steps, if there is a person who goes
// step by step, starts it as often as that takes; else it is nil.
func (f *Flags) Payload(ctx context.Context, l *sandbox.Lab, spec plan.Spec, o sandbox.Options, p *Patience,
	steps func(sandbox.Options, func(sandbox.Options) error) error) (int, error) {
	stdin := os.Stdin
	if !f.Interactive {
		null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
		if err != nil {
			return 0, err
		}
		defer null.Close()
		stdin = null
	}
	o.Name, o.Stdio, o.Relay = f.Name, [3]*os.File{stdin, os.Stdout, os.Stderr}, Relay
	o.Started = func(*sandbox.Container) error {
		p.Begin() // from here on a signal is the payload's
		return nil
	}
	if sandbox.Detached() { // nobody is there to read any more
		o.Stdio, o.Log = [3]*os.File{stdin, stdin, stdin}, true
		o.Started = func(container *sandbox.Container) error {
			p.Begin()
			return sandbox.TellReady(container)
		}
	}
	status := 0
	start := func(o sandbox.Options) error {
		exit, err := sandbox.Run(ctx, l, spec, o, f.TTY)
		status = exit.Status()
		return err
	}
	var err error
	if steps != nil {
		err = steps(o, start)
	} else {
		err = start(o)
	}
	if errors.Is(err, sandbox.ErrQuit) {
		return 0, nil
	}
	if err == nil {
		err = ctx.Err() // the payload ended because we were told to
	}
	return status, err
}

// InBackground runs the same command line once more, without us, and prints the id
// of its container.
func InBackground(ctx context.Context) error {
	id, err := sandbox.Detach(ctx, os.Args[1:])
	if err != nil {
		return err
	}
	_, err = fmt.Println(id)
	return err
}

// Relay connects a terminal inside to the person outside.
func Relay(ctx context.Context, master *os.File) error {
	return sandbox.Relay(ctx, os.Stdin, os.Stdout, master)
}

// Person reports whether somebody sits at the other end of standard input and
// output.
func Person() bool { return IsTerminal(os.Stdin) && IsTerminal(os.Stdout) }

// IsTerminal reports whether a file is a terminal.
func IsTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
