package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"cutaway/cmd/run"
)

// none refuses arguments.
func none(cmd *cobra.Command, args []string) error { return count(cmd, args, 0, 0) }

// count wants between least and most arguments.
func count(cmd *cobra.Command, args []string, least, most int) error {
	if len(args) >= least && len(args) <= most {
		return nil
	}
	want := fmt.Sprint(least)
	if most > least {
		want = fmt.Sprintf("%d to %d", least, most)
	}
	return &run.UsageError{What: "read the arguments of " + cmd.CommandPath(), Fact: fmt.Sprintf("%d given, %s wanted: %s", len(args), want, cmd.UseLine()), Path: cmd.CommandPath()}
}
