package main

import (
	"errors"
	"fmt"
	"os"

	"cutaway/sandbox"
	"cutaway/sandbox/inspect"
	"cutaway/sandbox/trace"

	"github.com/spf13/cobra"
)

// inspect shows the kernel objects of one process.
func (c *cli) inspect() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "inspect PID|ID",
		Short: "show the kernel objects of any process or container",
		Long: "Show what the kernel has for a process: namespaces, credentials, mounts, links,\n" +
			"control groups and more. Any process will do, this lab's or not. What only root\n" +
			"may read of it is named on standard error.",
		Args:              func(cmd *cobra.Command, args []string) error { return count(cmd, args, 1, 1) },
		ValidArgsFunction: c.completeContainers(1),
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := c.snapshot(args[0])
			if err != nil {
				return err
			}
			if !c.json() {
				return trace.ObjectsTable(os.Stdout, c.text(os.Stdout), s.Objects)
			}
			for _, o := range s.Objects {
				if err := writeJSON(o); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.formatFlag(cmd)
	return cmd
}

// diff compares two processes.
func (c *cli) diff() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "diff A B",
		Short:             "compare two processes or containers, object by object",
		Long:              "Compare two processes, each a pid or the id or name of a container.",
		Args:              func(cmd *cobra.Command, args []string) error { return count(cmd, args, 2, 2) },
		ValidArgsFunction: c.completeContainers(2),
		RunE: func(_ *cobra.Command, args []string) error {
			a, err := c.snapshot(args[0])
			if err != nil {
				return err
			}
			b, err := c.snapshot(args[1])
			if err != nil {
				return err
			}
			rows := inspect.Pair(a, b)
			if !c.json() {
				return trace.PairTable(os.Stdout, c.text(os.Stdout), rows, args[0], args[1])
			}
			for _, r := range rows {
				if err := writeJSON(r); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.formatFlag(cmd)
	return cmd
}

// snapshot looks at the process that a word names, and says what it could not
// see.
func (c *cli) snapshot(word string) (*inspect.Snapshot, error) {
	l, err := c.lab()
	if err != nil {
		return nil, err
	}
	pid, err := l.Process(word)
	if err != nil {
		return nil, err
	}
	s, err := inspect.OfProcess(pid)
	if errors.Is(err, os.ErrNotExist) {
		return nil, &sandbox.NoProcessError{Word: word, Fact: "it has just ended"}
	}
	if err != nil {
		return nil, err
	}
	for _, gap := range s.Gaps {
		fmt.Fprintln(os.Stderr, "not seen: "+gap)
	}
	return s, nil
}

// completeContainers offers the ids of running containers for the first most
// arguments.
func (c *cli) completeContainers(most int) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var ids []cobra.Completion
		if l, err := c.lab(); err == nil { // with no lab there is nothing to offer
			records, _ := l.Records()
			for _, r := range records {
				ids = append(ids, cobra.CompletionWithDesc(r.ID, r.Name+" "+r.Image))
			}
		}
		return ids, cobra.ShellCompDirectiveNoFileComp
	}
}
