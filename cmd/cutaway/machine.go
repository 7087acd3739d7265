package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"cutaway/cmd/run"
	"cutaway/lessons/progress"
	"cutaway/vm"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// place is where containers are built.
type place struct{ in, share string }

// define gives a verb the flags of a place.
func (p *place) define(cmd *cobra.Command) {
	inFlag(cmd, &p.in)
	cmd.Flags().StringVar(&p.share, "share", "", "copy `DIR` to "+vm.ShareDir+" of the microVM, and what changed there back")
	_ = cmd.MarkFlagDirname("share") // it can fail only for a flag that is not there
}

// inFlag gives a verb the flag --in.
func inFlag(cmd *cobra.Command, in *string) {
	run.Place(cmd.Flags(), in)
	complete(cmd, "in", "auto", "host", "vm")
}

// here decides: on this machine, or in the microVM?
func (p place) here(cmd *cobra.Command) (bool, error) {
	if err := oneOf(cmd, "in", p.in, "auto", "host", "vm"); err != nil {
		return false, err
	}
	here := run.Here(p.in)
	if here && p.share != "" {
		return false, &run.UsageError{What: "read the flags of " + cmd.CommandPath(), Path: cmd.CommandPath(),
			Fact: "--share " + p.share + " shares a folder with the microVM, and this is to run on this machine"}
	}
	return here, nil
}

// needRoot refuses what the stages do to an ordinary user.
func needRoot(cmd *cobra.Command) error {
	if os.Geteuid() == 0 {
		return nil
	}
	return &cannotError{cmd.CommandPath() + ": not root: the stages make links, control groups and mounts of this machine's",
		"sudo " + cmd.CommandPath() + " ...; or in a microVM, which needs no root: --in vm"}
}

// errand is a command line of this program's that is for the microVM.
type errand struct {
	share string
	words []string // its arguments
	after []string // what follows --
	reads bool     // somebody there reads standard input
	env   []string
	// take, when set, copies something into the machine first, which has this much
	// memory if it is one of its own, in MiB; 0 is the usual.
	take   func(context.Context, *vm.Link) error
	memory int
}

// inVM does an errand as the microVM's root, as if it ran here: in the machine
// that is up, else in one of its own.
func (c *cli) inVM(cmd *cobra.Command, e errand) error {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, passedOn...)
	defer signal.Stop(signals)
	o := vm.Options{Share: e.share, Before: e.take, After: bringProgress, Command: vm.Command{Args: guestArgs(cmd, e), Env: append(environment(), e.env...),
		Stdout: os.Stdout, Stderr: os.Stderr, Signals: signals, Started: c.patience.Give}}
	if e.reads {
		o.Stdin = os.Stdin
	}
	if c.asks() {
		o.Terminal = terminals(e.reads)
	}
	if info, link := machineUp(); link != nil {
		defer link.Close()
		tellMachine(info.Kernel, info.Accel, "the machine "+info.Name+", up for "+time.Since(info.Started).Round(time.Second).String())
		o.Env = append(o.Env, fromOutside+"=cutaway vm run --")
		status, err := vm.RunIn(cmd.Context(), link, o)
		return c.left(status, err)
	}
	o.Config = c.watched(vm.Config{Tools: true, Memory: e.memory}, true)
	do := vm.Run
	if e.reads {
		do = runNamed(cmd.Name())
	}
	status, err := do(cmd.Context(), o)
	return c.left(status, err)
}

// fromOutside is the variable that tells a cutaway in a machine how somebody
// outside runs a command there.
const fromOutside = "CUTAWAY_FROM_OUTSIDE"

// runNamed is vm.Run in a machine that other terminals can use meanwhile, to
// look at what is built there. It is called after the verb; a second one of that
// name has a number.
func runNamed(verb string) func(context.Context, vm.Options) (int, error) {
	return func(ctx context.Context, o vm.Options) (int, error) {
		var taken *vm.UpError
		env := o.Env
		for _, name := range []string{verb, fmt.Sprintf("%s-%d", verb, os.Getpid())} {
			o.Env = append(slices.Clone(env), fromOutside+"=cutaway vm run --name "+name+" --")
			status, err := vm.RunNamed(ctx, vm.StateDir(), name, o)
			if !errors.As(err, &taken) {
				return status, err
			}
		}
		return 0, taken
	}
}

// machineUp connects to the machine that stays, if there is one and it has this
// very program in it.
func machineUp() (info vm.Info, link *vm.Link) {
	info, err := vm.Find(vm.StateDir(), vm.DefaultName)
	if err != nil {
		return info, nil
	}
	if info.Build != vm.Build("") {
		fmt.Fprintln(os.Stderr, "cutaway: the microVM that is up was started by another build of cutaway: not used; cutaway vm down ends it")
		return info, nil
	}
	if link, err = vm.Connect(vm.StateDir(), vm.DefaultName); err != nil {
		return info, nil // it is going down
	}
	return info, link
}

// guestArgs is the command line for the guest: the same, but for the flags that
// say where it is to run and what only this machine has.
func guestArgs(cmd *cobra.Command, e errand) []string {
	args := strings.Fields(cmd.CommandPath())
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if slices.Contains([]string{"in", "share", "state"}, f.Name) {
			return
		}
		values := []string{f.Value.String()}
		if several, ok := f.Value.(pflag.SliceValue); ok {
			values = several.GetSlice()
		}
		for _, value := range values {
			args = append(args, "--"+f.Name+"="+value)
		}
	})
	args = append(args, e.words...)
	if len(e.after) > 0 {
		args = append(append(args, "--"), e.after...)
	}
	return args
}

// progressThere is where a machine's root keeps progress.
const progressThere = "/root/.local/state/cutaway/progress.jsonl"

// takeProgress lets a machine know what a person has done so far.
func takeProgress(ctx context.Context, l *vm.Link) error {
	file, err := progress.File()
	if err != nil {
		return err
	}
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return l.Put(ctx, map[string]string{progressThere: file})
}

// bringProgress notes here what a person has done in the microVM.
func bringProgress(ctx context.Context, l *vm.Link) error {
	var done bytes.Buffer
	// Without such a file nothing was done.
	status, err := l.Run(ctx, vm.Command{Args: []string{"cat", progressThere}, Stdout: &done})
	if err != nil || status != 0 {
		return err
	}
	return progress.Merge(&done)
}

// passedOn are the signals that are for the command in a machine.
var passedOn = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT}

// terminals says which descriptors of a command in a machine are a terminal,
// when it is to look as if it ran here. Only the first decides who has the keys:
// ^C on ours becomes a signal, on a terminal in the machine that is its business.
func terminals(reads bool) [3]bool {
	out := run.IsTerminal(os.Stdout)
	return [3]bool{out && reads && run.IsTerminal(os.Stdin), out, out && run.IsTerminal(os.Stderr)}
}

// left is how a command in a machine has ended.
func (c *cli) left(status int, err error) error {
	var start *vm.StartError
	if errors.As(err, &start) {
		c.tell(os.Stderr, err)
		return run.PayloadStatus(start.Status)
	}
	return run.Ended(status, err)
}
