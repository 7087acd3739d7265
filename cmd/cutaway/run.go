package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"cutaway/sandbox"
	"cutaway/sandbox/image"
	"cutaway/sandbox/plan"
	"cutaway/stages"

	"github.com/spf13/cobra"
)

// run makes the complete container of an image and runs a command in it.
func (c *cli) run() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run [flags] IMAGE [COMMAND...]",
		Short: "run a command in a complete container; flags as docker run has them",
		Long: "Make the container of the last stage out of IMAGE, run COMMAND (or what the\n" +
			"image says) in it, and remove it when that ends. IMAGE is pulled if it is not\n" +
			"here; built-in is the embedded one.\n\n" +
			"As an ordinary user: with --net none or --net host, and without limits.",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return nil
			}
			return count(cmd, args, 1, 1)
		},
		ValidArgsFunction: c.completeImages,
		RunE:              func(cmd *cobra.Command, args []string) error { return c.runImage(cmd, f, args[0], args[1:]) },
	}
	f.place.define(cmd)
	f.define(cmd)
	c.formatFlag(cmd)
	return cmd
}

func (c *cli) runImage(cmd *cobra.Command, f runFlags, ref string, args []string) error {
	ctx := cmd.Context()
	here, err := f.here(cmd)
	if err != nil {
		return err
	}
	if c.json() && !f.plan {
		return &usageError{What: "read the flags of " + cmd.CommandPath(), Fact: "--format json goes with --plan only: otherwise standard output is the payload's", Path: cmd.CommandPath()}
	}
	// An ordinary user's containers harm nobody.
	ordinary := f.in == "auto" && os.Geteuid() != 0
	if !here && !ordinary && !f.plan {
		return c.runInVM(cmd, f, ref, args)
	}
	r, finish, err := c.runner()
	if err != nil {
		return err
	}
	w, err := f.wish(cmd, r.Lab, args)
	if err != nil {
		return err
	}
	early, err := stages.Early(r.Lab.Features, w)
	var notRoot *stages.NotRootError
	if ordinary && !here && !f.plan && errors.As(err, &notRoot) {
		return c.runInVM(cmd, f, ref, args)
	}
	if err != nil {
		return err
	}
	if f.detach && !f.plan && !sandbox.Detached() {
		return detach(ctx)
	}
	release := func() {}
	defer func() { release() }()
	whole := func() (spec plan.Spec, err error) {
		img, err := c.fetch(ctx, r, ref, image.PullOptions{Insecure: f.insecure})
		if err == nil {
			spec, release, err = r.Container(ctx, img, w)
		}
		return spec, err
	}
	if f.plan {
		spec, err := whole()
		if err == nil {
			err = r.ShowSpec(spec)
		}
		return either(err, finish)
	}
	status, err := c.payload(ctx, r, sandbox.Options{Name: f.name, Image: ref, Rest: sync.OnceValues(whole)}, early, f)
	return ended(status, either(err, finish))
}

// payload runs the container to its end.
func (c *cli) payload(ctx context.Context, r *stages.Runner, o sandbox.Options, spec plan.Spec, f runFlags) (int, error) {
	stdin := os.Stdin
	if !f.interactive {
		null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
		if err != nil {
			return 0, err
		}
		defer null.Close()
		stdin = null
	}
	o.Stdio, o.Relay = [3]*os.File{stdin, os.Stdout, os.Stderr}, r.Relay
	if f.pause {
		o.Watch, o.Pause = true, c.prompter().Ask
	}
	o.Started = func(*sandbox.Container) error {
		c.patience.begin() // from here on a signal is the payload's
		return nil
	}
	if sandbox.Detached() { // nobody is there to read any more
		o.Stdio, o.Log = [3]*os.File{stdin, stdin, stdin}, true
		o.Started = func(container *sandbox.Container) error {
			c.patience.begin()
			return sandbox.TellReady(container)
		}
	}
	status := 0
	err := r.Stepping(o, func(o sandbox.Options) error {
		exit, err := sandbox.Run(ctx, r.Lab, spec, o, f.tty)
		status = exit.Status()
		return err
	})
	if errors.Is(err, sandbox.ErrQuit) {
		return 0, nil
	}
	if err == nil {
		err = ctx.Err() // the payload ended because we were told to
	}
	return status, err
}

// detach runs the same command line once more, without us.
func detach(ctx context.Context) error {
	id, err := sandbox.Detach(ctx, os.Args[1:])
	if err != nil {
		return err
	}
	_, err = fmt.Println(id)
	return err
}
