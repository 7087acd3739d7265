package main

import (
	"context"
	"os"
	"strings"

	"cutaway/sandbox"
	"cutaway/stages"
	"cutaway/vm/overhead"

	"github.com/spf13/cobra"
)

// compareFlags are those of compare.
type compareFlags struct {
	in    string
	quick bool
	only  []string
}

// compare measures what containers cost and what machines do.
func (c *cli) compare() *cobra.Command {
	var f compareFlags
	cmd := &cobra.Command{
		Use:   "compare",
		Short: "what a container costs, and what a VM does, measured on this machine",
		Long: "Measure the same programs in a bare process, behind each wall alone, in this lab's\n" +
			"containers and those of the tools that are installed, and in a microVM: start,\n" +
			"memory, disk, processor, system calls, network, files, density. It takes a quarter\n" +
			"of an hour; --quick a minute and a half.\n\n" +
			"As root it measures more. This machine's network is changed, for as long as it\n" +
			"takes, only with --in host: then the bridge, NAT and a tap device are measured, too.",
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.measure(cmd, f) },
	}
	cmd.Flags().StringVar(&f.in, "in", "auto", "`host`: this machine's network may be changed meanwhile; auto: only in a machine made for the lab")
	complete(cmd, "in", "auto", "host")
	cmd.Flags().BoolVar(&f.quick, "quick", false, "fewer runs: a minute and a half, for a talk")
	cmd.Flags().StringSliceVar(&f.only, "only", nil, "measure only `GROUPS`: "+strings.Join(overhead.Groups(), ","))
	complete(cmd, "only", overhead.Groups()...)
	c.formatFlag(cmd)
	return cmd
}

// options turns the flags into those of a run.
func (f compareFlags) options(cmd *cobra.Command, l *sandbox.Lab) (overhead.Options, error) {
	program, err := os.Executable()
	return overhead.Options{Only: f.only, Program: program, Quick: f.quick, InHost: f.in == "host" || disposable(),
		About: stages.Conditions(l.Features, "cutaway "+version), Fetching: longWork}, err
}

func (f compareFlags) check(cmd *cobra.Command) error {
	if unknown := overhead.Unknown(f.only); len(unknown) > 0 {
		return &usageError{What: "read the flags of " + cmd.CommandPath(), Path: cmd.CommandPath(),
			Fact: "--only " + strings.Join(unknown, ",") + " is none of " + strings.Join(overhead.Groups(), ", ")}
	}
	return oneOf(cmd, "in", f.in, "auto", "host")
}

func (c *cli) measure(cmd *cobra.Command, f compareFlags) error {
	if err := f.check(cmd); err != nil {
		return err
	}
	l, err := c.lab()
	if err != nil {
		return err
	}
	o, err := f.options(cmd, l)
	if err != nil {
		return err
	}
	r, err := c.watchRun(cmd.Context(), l, o)
	if err != nil {
		return err
	}
	return c.show(r)
}

// watchRun measures while somebody at the terminal sees how far it is.
func (c *cli) watchRun(ctx context.Context, l *sandbox.Lab, o overhead.Options) (*overhead.Result, error) {
	return overhead.Run(ctx, l, o)
}

// show writes a result.
func (c *cli) show(r *overhead.Result) error {
	if c.json() {
		return r.Write(os.Stdout)
	}
	return r.Table(os.Stdout)
}
