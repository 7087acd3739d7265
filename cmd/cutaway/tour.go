package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"

	"cutaway/cmd/run"
	"cutaway/sandbox"
	"cutaway/sandbox/trace"
	"cutaway/stages"

	"github.com/spf13/cobra"
)

// tourFlags are the flags of cutaway tour.
type tourFlags struct {
	place
	from, to    string
	auto, pause bool
}

// tour plays all stages.
func (c *cli) tour() *cobra.Command {
	var f tourFlags
	cmd := &cobra.Command{
		Use:   "tour",
		Short: "play all stages, from a process to a container",
		Args:  none,
		RunE:  func(cmd *cobra.Command, _ []string) error { return c.runTour(cmd, f) },
	}
	c.pageFlag(cmd)
	f.define(cmd)
	cmd.Flags().StringVar(&f.from, "from", "00-process", "begin with `STAGE`")
	cmd.Flags().StringVar(&f.to, "to", stages.All[len(stages.All)-1].Slug, "end with `STAGE`")
	cmd.Flags().BoolVar(&f.auto, "auto", false, "never wait, not even on a terminal")
	cmd.Flags().BoolVar(&f.pause, "pause", false, "stop before each step, and between observations")
	for _, flag := range []string{"from", "to"} {
		_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return stageSlugs(), cobra.ShellCompDirectiveNoFileComp
		})
	}
	return cmd
}

func (c *cli) runTour(cmd *cobra.Command, f tourFlags) error {
	from, err := stages.Find(f.from)
	if err != nil {
		return err
	}
	to, err := stages.Find(f.to)
	if err != nil {
		return err
	}
	if to.Number() < from.Number() {
		return &run.UsageError{What: "read the flags of " + cmd.CommandPath(), Fact: "--to " + to.Slug + " is before --from " + from.Slug, Path: cmd.CommandPath()}
	}
	if err := c.askable(cmd, f.pause); err != nil {
		return err
	}
	asks := !f.auto && c.asks() && run.Person()
	if here, err := f.here(cmd); err != nil {
		return err
	} else if !here {
		return c.inVM(cmd, errand{share: f.share, reads: f.pause || asks})
	}
	if err := needRoot(cmd); err != nil {
		return err
	}
	r, finish, err := c.runner()
	if err != nil {
		return err
	}
	t := stages.Tour{Runner: r, From: from, To: to, Seen: stages.Remember}
	if f.pause {
		c.stepwise(cmd.Context(), r)
	}
	t.Between = func(ctx context.Context, next stages.Stage) error {
		if err := finish(); err != nil || !asks { // nobody reads any more, say
			return err
		}
		return waitForEnter(ctx, next)
	}
	sum, err := t.Run(cmd.Context())
	return errors.Join(quit(err), c.sumUp(sum, r), finish())
}

// sumUp renders the end of the tour; in JSON it is a note, and a page ends with
// it.
func (c *cli) sumUp(sum trace.Summary, r *stages.Runner) error {
	if c.html() {
		c.summary = &sum
		return nil
	}
	if !c.json() {
		return trace.WriteSummary(os.Stdout, c.text(os.Stdout), sum)
	}
	clean := "no"
	if sum.HostClean {
		clean = "yes"
	}
	r.Lab.Emit(trace.Event{Schema: trace.Schema, Event: trace.NoteEvent,
		Text: fmt.Sprintf("%d stages, %d steps, %d kinds of kernel object seen; host before = host after: %s", sum.Stages, sum.Steps, sum.Kinds, clean)})
	return nil
}

// waitForEnter lets a person read before the next stage.
func waitForEnter(ctx context.Context, next stages.Stage) error {
	fmt.Printf("\n [Enter] next: %s, %s   [q]uit ", next.Slug, next.Title)
	line, err := trace.ReadLine(ctx, bufio.NewReader(os.Stdin))
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil || line[0] == 'q':
		return sandbox.ErrQuit
	}
	return nil
}

// quit turns the reader's wish to stop into no error.
func quit(err error) error {
	if errors.Is(err, sandbox.ErrQuit) {
		return nil
	}
	return err
}
