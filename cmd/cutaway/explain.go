package main

import (
	"fmt"
	"os"
	"strings"

	"cutaway/lessons"
	"cutaway/sandbox/trace"

	"github.com/spf13/cobra"
)

// explain looks a word up in the glossary.
func (c *cli) explain() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [WORD]",
		Short: "say what a word means; without one, list them",
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var words []cobra.Completion
			for _, e := range lessons.Glossary() {
				words = append(words, e.Words...)
			}
			return words, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			o := c.text(os.Stdout)
			if len(args) == 0 {
				var rows [][]string
				for _, e := range lessons.Glossary() {
					rows = append(rows, []string{strings.Join(e.Words, ", "), e.Meaning})
				}
				return trace.Table(os.Stdout, o, []string{"Word", "Meaning"}, rows)
			}
			e, err := lessons.Explain(strings.Join(args, " "))
			if err != nil {
				return err
			}
			text := "**" + strings.Join(e.Words, ", ") + "**: " + e.Meaning + "."
			if e.Where != "" {
				text += "\n\nread on: " + e.Where
			}
			_, err = fmt.Print(lessons.Text([]byte(text), o))
			return err
		},
	}
}
