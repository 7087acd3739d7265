package main

import (
	"cmp"
	"fmt"

	"cutaway/sandbox"

	"github.com/spf13/cobra"
)

// clean undoes what killed runs left.
func (c *cli) clean() *cobra.Command {
	return &cobra.Command{
		Use:   "clean",
		Short: "undo whatever a killed run left",
		Long: "Undo what runs that were killed have left on this machine. Containers that run\n" +
			"are left alone, and so are images: cutaway rmi removes those.",
		Args: none,
		RunE: func(*cobra.Command, []string) error {
			undone, err := sandbox.Clean(c.state)
			if len(undone) == 0 && err == nil {
				_, err = fmt.Println("nothing to clean")
			}
			for _, what := range undone {
				_, writeErr := fmt.Println("undone: " + what)
				err = cmp.Or(err, writeErr)
			}
			return err
		},
	}
}
