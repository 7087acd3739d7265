package main

import (
	"errors"
	"os"
	"sync"

	"cutaway/cmd/run"
	"cutaway/sandbox"
	"cutaway/sandbox/image"
	"cutaway/sandbox/plan"
	"cutaway/stages/buildup"

	"github.com/spf13/cobra"
)

// runFlags are the flags of cutaway run, and where that runs.
type runFlags struct {
	place
	run.Flags
}

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
		RunE:              func(cmd *cobra.Command, args []string) error { return c.runImage(cmd, &f, args[0], args[1:]) },
	}
	f.place.define(cmd)
	f.Define(cmd.Flags())
	complete(cmd, "net", "bridge", "none", "host", "container:")
	complete(cmd, "userns", "host")
	c.formatFlag(cmd)
	return cmd
}

func (c *cli) runImage(cmd *cobra.Command, f *runFlags, ref string, args []string) error {
	ctx := cmd.Context()
	here, err := f.here(cmd)
	if err != nil {
		return err
	}
	if c.json() && !f.Plan {
		return &run.UsageError{What: "read the flags of " + cmd.CommandPath(), Fact: "--format json goes with --plan only: otherwise standard output is the payload's", Path: cmd.CommandPath()}
	}
	// An ordinary user's containers harm nobody.
	ordinary := f.in == "auto" && os.Geteuid() != 0
	if !here && !ordinary && !f.Plan {
		return c.runInVM(cmd, f, ref, args)
	}
	r, finish, err := c.runner()
	if err != nil {
		return err
	}
	w, err := f.Wish(r.Lab, args)
	if err != nil {
		return err
	}
	early, err := buildup.Early(r.Lab.Features, w)
	var notRoot *buildup.NotRootError
	if ordinary && !here && !f.Plan && errors.As(err, &notRoot) {
		return c.runInVM(cmd, f, ref, args)
	}
	if err != nil {
		return err
	}
	if f.Detach && !f.Plan && !sandbox.Detached() {
		return run.InBackground(ctx)
	}
	release := func() {}
	defer func() { release() }()
	whole := func() (spec plan.Spec, err error) {
		img, err := c.fetch(ctx, r, ref, image.PullOptions{Insecure: f.Insecure})
		if err == nil {
			spec, release, err = r.Container(ctx, img, w)
		}
		return spec, err
	}
	if f.Plan {
		spec, err := whole()
		if err == nil {
			err = r.ShowSpec(spec)
		}
		return either(err, finish)
	}
	o := sandbox.Options{Image: ref, Rest: sync.OnceValues(whole)}
	var steps func(sandbox.Options, func(sandbox.Options) error) error
	if f.Pause {
		o.Watch, o.Pause, steps = true, c.prompter().Ask, r.Stepping
	}
	status, err := f.Payload(ctx, r.Lab, early, o, c.patience, steps)
	return run.Ended(status, either(err, finish))
}
