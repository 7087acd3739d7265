package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"cutaway/cmd/run"
	"cutaway/sandbox"
	"cutaway/sandbox/inspect"
	"cutaway/sandbox/plan"
	"cutaway/sandbox/trace"

	"github.com/spf13/cobra"
)

// top shows, second by second, what a container uses.
func (c *cli) top() *cobra.Command {
	var times int
	cmd := &cobra.Command{
		Use:   "top ID",
		Short: "watch what a container uses and is refused, once a second",
		Long: "Read the files of a container's control group once a second until it ends: on a\n" +
			"terminal as a picture that stays in place, else a line each time.",
		Args:              func(cmd *cobra.Command, args []string) error { return count(cmd, args, 1, 1) },
		ValidArgsFunction: c.completeContainers(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if times < 0 {
				return &run.UsageError{What: "read the flags of " + cmd.CommandPath(), Fact: "--times is less than nothing", Path: cmd.CommandPath()}
			}
			l, err := c.lab()
			if err != nil {
				return err
			}
			r, err := l.Find(args[0])
			if err != nil {
				return err
			}
			return c.watch(cmd.Context(), l, r, times)
		},
	}
	c.formatFlag(cmd)
	cmd.Flags().IntVarP(&times, "times", "n", 0, "end after this `NUMBER` of seconds; 0 goes on until the container ends")
	return cmd
}

// watch shows one Moment each second; the first look only begins the counting.
func (c *cli) watch(ctx context.Context, l *sandbox.Lab, r sandbox.Record, times int) error {
	dirs := plan.CgroupDirs(plan.Spec{ID: r.ID, Linux: plan.Linux{Cgroup: r.Cgroup}}, l.Features)
	if len(dirs) == 0 {
		return &cannotError{"watch container " + r.ID + ": it has no control group, so nothing is counted", "containers of root's have one"}
	}
	before, err := inspect.UsageOf(ctx, dirs)
	if err != nil {
		return gone(r, err)
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for n := 0; times == 0 || n < times; n++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		now, err := inspect.UsageOf(ctx, dirs)
		if errors.Is(err, os.ErrNotExist) && n > 0 || err == nil && now.Pids == 0 {
			return c.watchedToTheEnd(r)
		}
		if err != nil {
			return gone(r, err)
		}
		if err := c.moment(r, trace.Moment{Usage: now, Rates: now.Since(before)}, n == 0); err != nil {
			return err
		}
		before = now
	}
	return nil
}

// moment shows one look in the form that was asked for.
func (c *cli) moment(r sandbox.Record, m trace.Moment, first bool) error {
	switch {
	case c.json():
		return writeJSON(m)
	case run.IsTerminal(os.Stdout):
		return trace.WriteUsage(os.Stdout, c.text(os.Stdout), fmt.Sprintf("container %s %s", r.ID, r.Name), time.Since(r.Started), m, first)
	}
	return trace.WriteUsageLine(os.Stdout, m, first)
}

func (c *cli) watchedToTheEnd(r sandbox.Record) error {
	if c.json() {
		return nil
	}
	_, err := fmt.Printf(" container %s has ended\n", r.ID)
	return err
}

// gone says that there is nothing to watch any more.
func gone(r sandbox.Record, err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return &sandbox.NoProcessError{Word: r.ID, Fact: "the container has just ended"}
	}
	return err
}
