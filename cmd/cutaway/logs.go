package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"cutaway/cmd/run"
	"cutaway/sandbox"

	"github.com/spf13/cobra"
)

// logs prints what a detached container has printed.
func (c *cli) logs() *cobra.Command {
	var follow, times bool
	tail := "all"
	cmd := &cobra.Command{
		Use:   "logs ID",
		Short: "print what a container in the background has printed",
		Long: "Print what a container that run -d has started has printed so far: its standard\n" +
			"output to ours, its standard error likewise. The last mebibyte of it is kept, as\n" +
			"long as the container runs.",
		Args:              func(cmd *cobra.Command, args []string) error { return count(cmd, args, 1, 1) },
		ValidArgsFunction: c.completeContainers(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			lines, err := lastLines(cmd, tail)
			if err != nil {
				return err
			}
			l, err := c.lab()
			if err != nil {
				return err
			}
			r, err := l.Find(args[0])
			if err != nil {
				return err
			}
			return l.Log(cmd.Context(), r, lines, follow, func(e sandbox.LogEntry) error { return printEntry(e, times) })
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on until the container ends")
	cmd.Flags().StringVarP(&tail, "tail", "n", tail, "only the last `NUMBER` of lines")
	cmd.Flags().BoolVarP(&times, "timestamps", "t", false, "put before each line when it was printed")
	return cmd
}

// lastLines reads --tail: a number, or -1 for all.
func lastLines(cmd *cobra.Command, tail string) (int, error) {
	if tail == "all" {
		return -1, nil
	}
	n, err := strconv.Atoi(tail)
	if err != nil || n < 0 {
		return 0, &run.UsageError{What: "read the flags of " + cmd.CommandPath(), Fact: fmt.Sprintf("--tail %q: want a number of lines, or all", tail), Path: cmd.CommandPath()}
	}
	return n, nil
}

func printEntry(e sandbox.LogEntry, times bool) error {
	out := os.Stdout
	if e.Stream == "stderr" {
		out = os.Stderr
	}
	if times {
		if _, err := fmt.Fprint(out, e.Time.Format(time.RFC3339Nano), " "); err != nil {
			return err
		}
	}
	_, err := out.Write(e.Text)
	return err
}
