package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"cutaway/cmd/run"
	"cutaway/sandbox"
	"cutaway/sandbox/sys"
	"cutaway/stages"
	"cutaway/vm/overhead"

	"github.com/spf13/cobra"
)

// compareFlags are those of compare.
type compareFlags struct {
	in, from, html, fullVM string
	quick                  bool
	only                   []string
}

// compare measures what containers cost and what machines do.
func (c *cli) compare() *cobra.Command {
	var f compareFlags
	cmd := &cobra.Command{
		Use:   "compare [flags] [--from A.json [B.json]]",
		Short: "what a container costs, and what a VM does, measured on this machine",
		Long: "Measure the same programs in a bare process, behind each wall alone, in this lab's\n" +
			"containers and those of the tools that are installed, and in a microVM: start,\n" +
			"memory, disk, processor, system calls, network, files, density. It takes a quarter\n" +
			"of an hour; --quick a minute and a half. --from shows what --format json has kept,\n" +
			"of one run or of two side by side, and says how many of their measures agree.\n\n" +
			"As root it measures more. This machine's network is changed, for as long as it\n" +
			"takes, only with --in host: then the bridge, NAT and a tap device are measured, too.",
		Args: func(cmd *cobra.Command, args []string) error {
			if f.from == "" {
				return none(cmd, args)
			}
			return count(cmd, args, 0, 1)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(cmd); err != nil {
				return err
			}
			if f.from != "" {
				return c.compareKept(f, args)
			}
			return c.measure(cmd, f)
		},
	}
	cmd.PersistentFlags().StringVar(&f.in, "in", "auto", "`host`: this machine's network may be changed meanwhile; auto: only in a machine made for the lab")
	complete(cmd, "in", "auto", "host")
	cmd.PersistentFlags().StringVar(&f.fullVM, "full-vm", "", "a `BOX` made by vm/box.sh, to measure a whole machine, too; debian-13.box beside this program if it is there")
	cmd.Flags().BoolVar(&f.quick, "quick", false, "fewer runs: a minute and a half, for a talk")
	cmd.Flags().StringSliceVar(&f.only, "only", nil, "measure only `GROUPS`: "+strings.Join(overhead.Groups(), ","))
	complete(cmd, "only", overhead.Groups()...)
	cmd.Flags().StringVar(&f.from, "from", "", "measure nothing, show `A.json`, beside B.json if that is given")
	cmd.Flags().StringVar(&f.html, "html", "", "write a page with pictures to `FILE`, too")
	c.formatFlag(cmd)
	for _, d := range overhead.Demonstrations {
		cmd.AddCommand(c.demonstration(&f, d))
	}
	return cmd
}

// demonstration is a show for a lecture.
func (c *cli) demonstration(f *compareFlags, d overhead.Demonstration) *cobra.Command {
	return &cobra.Command{
		Use: d.Name, Short: "show " + d.Short, Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(cmd); err != nil {
				return err
			}
			l, o, err := c.bench(*f)
			if err != nil {
				return err
			}
			view := &inPlace{w: os.Stdout}
			if !run.IsTerminal(os.Stdout) {
				return d.Show(cmd.Context(), l, o, os.Stdout, nil)
			}
			return d.Show(cmd.Context(), l, o, os.Stdout, func(lines []string) { view.show(lines == nil, func() []string { return lines }) })
		},
	}
}

// check looks at what the flags' values mean together.
func (f compareFlags) check(cmd *cobra.Command) error {
	wrong := func(fact string) error {
		return &run.UsageError{What: "read the flags of " + cmd.CommandPath(), Fact: fact, Path: cmd.CommandPath()}
	}
	if unknown := overhead.Unknown(f.only); len(unknown) > 0 {
		return wrong("--only " + strings.Join(unknown, ",") + " is none of " + strings.Join(overhead.Groups(), ", "))
	}
	if f.from != "" && (f.quick || len(f.only) > 0) {
		return wrong("--from measures nothing: --quick and --only are of no use with it")
	}
	return oneOf(cmd, "in", f.in, "auto", "host")
}

// bench opens the lab and turns the flags into the options of a run.
func (c *cli) bench(f compareFlags) (*sandbox.Lab, overhead.Options, error) {
	l, err := c.lab()
	if err != nil {
		return nil, overhead.Options{}, err
	}
	program, err := sys.Self()
	o := overhead.Options{Only: f.only, Program: program, Quick: f.quick, InHost: f.in == "host" || run.Disposable(), FullVM: f.fullVM,
		About: stages.Conditions(l.Features, "cutaway "+version)}
	if run.IsTerminal(os.Stderr) {
		o.Fetching = c.longWork
	}
	return l, o, err
}

func (c *cli) measure(cmd *cobra.Command, f compareFlags) error {
	l, o, err := c.bench(f)
	if err != nil {
		return err
	}
	return f.withPage(func() (comparison, error) { return watchRun(cmd.Context(), l, o) }, c)
}

// comparison is one result, or two side by side.
type comparison interface {
	Write(io.Writer) error
	Table(io.Writer) error
	Page(io.Writer) error
}

// withPage opens the page's file before anything is measured, so that a run is not
// in vain, and writes what comes of it.
func (f compareFlags) withPage(run func() (comparison, error), c *cli) error {
	var page *os.File
	if f.html != "" {
		var err error
		if page, err = os.Create(f.html); err != nil {
			return fmt.Errorf("write the page: %w", err)
		}
		defer page.Close()
	}
	r, err := run()
	if err != nil {
		return err
	}
	if page != nil {
		if err := r.Page(page); err != nil {
			return err
		}
		if err := page.Close(); err != nil {
			return fmt.Errorf("write the page: %w", err)
		}
	}
	if c.json() {
		return r.Write(os.Stdout)
	}
	return r.Table(os.Stdout)
}

// compareKept shows results of earlier runs.
func (c *cli) compareKept(f compareFlags, more []string) error {
	a, err := overhead.Read(f.from)
	if err != nil {
		return err
	}
	return f.withPage(func() (comparison, error) {
		if len(more) == 0 {
			return a, nil
		}
		b, err := overhead.Read(more[0])
		if err != nil {
			return nil, err
		}
		return overhead.Beside(a, b, [2]string{f.from, more[0]}), nil
	}, c)
}

// watchRun measures while somebody at the terminal sees the table filling in. Into
// a file goes a line for each thing that is done.
func watchRun(ctx context.Context, l *sandbox.Lab, o overhead.Options) (*overhead.Result, error) {
	view := &inPlace{w: os.Stderr}
	if run.IsTerminal(os.Stderr) {
		o.Told = func(p overhead.Progress) { view.show(p.Preparation != "", p.Live) }
		defer view.clear()
	}
	return overhead.Run(ctx, l, o)
}

// inPlace is a view of several lines that stays where it is.
type inPlace struct {
	w     io.Writer
	lines int
	last  time.Time
}

// show draws the lines over those before; now even if it has just done so.
func (v *inPlace) show(now bool, lines func() []string) {
	const pause = 150 * time.Millisecond
	if !now && time.Since(v.last) < pause {
		return
	}
	v.clear()
	all := lines()
	if len(all) > 0 {
		fmt.Fprintln(v.w, strings.Join(all, "\n"))
	}
	v.lines, v.last = len(all), time.Now()
}

// clear takes the view away.
func (v *inPlace) clear() {
	if v.lines > 0 {
		fmt.Fprintf(v.w, "\x1b[%dA\x1b[J", v.lines)
	}
	v.lines = 0
}
