// Command front is what bin/cutaway is. It starts in a third of the time that the
// program with all verbs takes, which it has inside: what people wait for most, a
// container of an image that is here already, it runs by itself; for everything
// else it becomes that other program.
//
// Its one invariant: it does nothing that the other program would do otherwise, for
// both call package run. Read quick below, then whole.go.
package main

import (
	"context"
	"errors"
	"io"
	"os"

	"cutaway/cmd/run"
	"cutaway/sandbox"
	"cutaway/sandbox/image/store"
	"cutaway/sandbox/sys"
	"cutaway/stages/buildup"

	"github.com/spf13/pflag"
)

func main() {
	run.NoGarbage()
	sys.GrowStack()
	if err := quick(os.Args[1:]); !errors.Is(err, errNotQuick) {
		leave(err)
	}
	leave(becomeWhole())
}

// leave tells an error, if there is one, and ends.
func leave(err error) {
	if err != nil {
		run.Tell(os.Stderr, err)
	}
	os.Exit(run.Status(err))
}

// errNotQuick says that a command line is for the other program, also if only to
// say what is wrong with it. Nothing has been done then.
var errNotQuick = errors.New("not for the program in front")

// quick does what a command line says, if that is to run a container and nothing
// else.
func quick(args []string) error {
	var (
		f         run.Flags
		in, state string
	)
	every := pflag.NewFlagSet("cutaway", pflag.ContinueOnError)
	every.SetOutput(io.Discard)
	every.SetInterspersed(false)
	run.State(every, &state)
	if every.Parse(args) != nil || every.Arg(0) != "run" {
		return errNotQuick
	}
	fs := pflag.NewFlagSet("run", pflag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.AddFlagSet(every)
	f.Define(fs)
	run.Place(fs, &in)
	// An ordinary user's containers harm nobody, so they need not say where.
	if fs.Parse(every.Args()[1:]) != nil || fs.NArg() == 0 || f.Plan || f.Pause || !run.Here(in) && (in != "auto" || os.Geteuid() == 0) {
		return errNotQuick
	}
	l, err := sandbox.New(state)
	if err != nil {
		return errNotQuick
	}
	w, err := f.Wish(l, fs.Args()[1:])
	if err != nil {
		return errNotQuick
	}
	early, err := buildup.Early(l.Features, w)
	if err != nil {
		return errNotQuick
	}
	images, err := store.Open(l.Dirs.Images())
	if err != nil {
		return errNotQuick
	}
	j := job{lab: l, images: images, ref: fs.Arg(0), wish: w}
	if f.Detach && !sandbox.Detached() {
		if _, _, err := j.layers(); err != nil { // the other process has nobody to pull for
			return errNotQuick
		}
		return run.InBackground(context.Background())
	}
	return j.run(&f, early)
}
