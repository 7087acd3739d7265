package main

import (
	"fmt"
	"os"
	"strings"

	"cutaway/cmd/run"
	"cutaway/stages"

	"github.com/spf13/cobra"
)

// root is cutaway without a verb: where am I, what is next.
func (c *cli) root() *cobra.Command {
	return &cobra.Command{
		Use:   "cutaway",
		Short: "build a Linux container stage by stage and see each kernel object appear",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			e := &run.UsageError{What: "find command " + args[0], Fact: "there is none", Path: "cutaway"}
			cmd.SuggestionsMinimumDistance = 2 // letters
			if similar := cmd.SuggestionsFor(args[0]); len(similar) > 0 {
				e.Advice = "did you mean cutaway " + strings.Join(similar, ", or cutaway ") + "?"
			}
			return e
		},
		RunE: func(*cobra.Command, []string) error { return whereAmI() },
	}
}

// whereAmI says how far a person has come and what to do next.
func whereAmI() error {
	seen, err := stages.Seen()
	if err != nil {
		return err
	}
	next := ""
	for _, s := range stages.All {
		if !seen[s.Slug] {
			next = fmt.Sprintf("next: %s, %s:  %s", s.Slug, s.Title, typed("stage "+s.Name()))
			break
		}
	}
	if next == "" {
		next = "that is all of them; now run something:  " + typed("run -it built-in sh")
	}
	_, err = fmt.Fprintf(os.Stdout, ` cutaway: a Linux container, taken apart stage by stage

 you have seen %d of %d stages
 %s

   cutaway doctor         can this machine run the lab
   cutaway tour           all stages in a row
   cutaway stage          list them; cutaway stage 04 plays one
   cutaway lesson         list the lessons; lesson 04 asks, runs, explains
   cutaway exercise list  tasks whose result is checked in the kernel
   cutaway vm shell       a root shell in a microVM, to do these in
   cutaway run IMAGE      the complete container, as docker run
   cutaway inspect PID    the kernel objects of any process
   cutaway compare        what a container costs here, and what a VM does
   cutaway --help         everything else
%s`, len(seen), len(stages.All), next, needsSudo())
	return err
}

// typed is what a person types here to have containers built.
func typed(verb string) string {
	if run.Disposable() && os.Geteuid() != 0 {
		return "sudo cutaway " + verb
	}
	return "cutaway " + verb
}

// needsSudo says in a lab machine what the person there has to become root for.
func needsSudo() string {
	if !run.Disposable() || os.Geteuid() == 0 {
		return ""
	}
	return "\n tour, stage and run need root: sudo cutaway tour\n"
}
