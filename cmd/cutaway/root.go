package main

import (
	"github.com/spf13/cobra"
)

// root is cutaway without a verb: where am I, what is next.
func (c *cli) root() *cobra.Command {
	return &cobra.Command{
		Use:   "cutaway",
		Short: "see a Linux container from the inside of the kernel",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return &usageError{What: "find command " + args[0], Fact: "there is none", Path: "cutaway"}
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
}
