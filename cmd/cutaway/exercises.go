package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"cutaway/exercises"
	"cutaway/lessons/progress"
	"cutaway/sandbox/trace"
	"cutaway/stages"

	"github.com/spf13/cobra"
)

// whatWasDone gives for each exercise what was done with it: begun, passed, gave
// up.
func whatWasDone() (map[string]map[string]bool, error) {
	entries, err := progress.All()
	return doneWith(entries), err
}

func doneWith(entries []progress.Entry) map[string]map[string]bool {
	did := map[string]map[string]bool{}
	for _, e := range entries {
		if e.Exercise == "" {
			continue
		}
		if did[e.Exercise] == nil {
			did[e.Exercise] = map[string]bool{}
		}
		did[e.Exercise][e.Did] = true
	}
	return did
}

// standing is what a list says of an exercise.
func standing(did map[string]bool) string {
	for _, word := range []string{"passed", "gave up", "begun"} {
		if did[word] {
			return word
		}
	}
	return ""
}

// of gives the exercises of a stage.
func (f exerciseFlags) of(stage string) ([]exercises.Exercise, error) {
	all, err := f.all()
	return slices.DeleteFunc(all, func(e exercises.Exercise) bool { return !strings.HasPrefix(e.Slug, stage+"/") }), err
}

// listExercises shows what there is to do, altogether or in some stages.
func (c *cli) listExercises(f exerciseFlags, words ...string) error {
	all, err := f.all()
	for _, word := range words {
		stage, unknown := stages.Find(word)
		if unknown != nil {
			return unknown
		}
		all, err = f.of(stage.Slug)
	}
	if err != nil {
		return err
	}
	did, err := whatWasDone()
	if err != nil {
		return err
	}
	var rows [][]string
	passed := 0
	for _, e := range all {
		if did[e.Slug]["passed"] {
			passed++
		}
		rows = append(rows, []string{e.Slug, e.Kind, e.Title, standing(did[e.Slug])})
	}
	if err := trace.Table(os.Stdout, c.text(os.Stdout), []string{"Exercise", "Kind", "About", "You"}, rows); err != nil {
		return err
	}
	_, err = fmt.Printf(" %d of %d passed; cutaway exercise start NAME begins one\n", passed, len(all))
	return err
}

// verifyExercises is for those who write exercises.
func (c *cli) verifyExercises(f *exerciseFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "verify [EXERCISE...]",
		Short: "prove that exercises work: unsolved, solved, and with each wrong answer",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := exercisePlace(cmd, f.in); err != nil {
				return err
			}
			all, err := f.all()
			if err != nil {
				return err
			}
			chosen := all
			if len(args) > 0 {
				chosen = nil
			}
			for _, word := range args {
				e, err := exercises.Find(all, word)
				if err != nil {
					return err
				}
				chosen = append(chosen, e)
			}
			var t exercises.Tally
			for _, e := range chosen {
				if err := t.Verify(cmd.Context(), e); err != nil {
					return fmt.Errorf("verify exercise %w", err)
				}
				fmt.Println("ok  ", e.Slug)
			}
			_, err = fmt.Printf("%d exercises, %d solutions passed, %d wrong answers caught\n", t.Exercises, t.Solutions, t.Wrong)
			return err
		},
	}
}

// learner is one line of a report.
type learner struct {
	Who    string            `json:"who"`
	Passed int               `json:"passed"`
	Begun  int               `json:"begun"` // and not passed
	Doing  map[string]string `json:"exercises"`
}

// report is for whoever teaches.
func (c *cli) report(f *exerciseFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "report FILE...",
		Short: "who has done what, from learners' progress files",
		Long: "Read progress files (progress.jsonl, below ~/.local/state/cutaway of a learner)\n" +
			"that were collected under a name each, and show who has passed what.",
		Args: func(cmd *cobra.Command, args []string) error { return count(cmd, args, 1, max(1, len(args))) },
		RunE: func(_ *cobra.Command, files []string) error {
			all, err := f.all()
			if err != nil {
				return err
			}
			var rows [][]string
			for _, file := range files {
				l, err := readLearner(file, all)
				if err != nil {
					return err
				}
				if c.json() {
					if err := writeJSON(l); err != nil {
						return err
					}
					continue
				}
				var stuck []string
				for slug, word := range l.Doing {
					if word != "passed" {
						stuck = append(stuck, slug)
					}
				}
				slices.Sort(stuck)
				rows = append(rows, []string{l.Who, fmt.Sprintf("%d of %d", l.Passed, len(all)), strings.Join(stuck, " ")})
			}
			if c.json() {
				return nil
			}
			return trace.Table(os.Stdout, c.text(os.Stdout), []string{"Who", "Passed", "Begun, not passed"}, rows)
		},
	}
	c.formatFlag(cmd)
	return cmd
}

// readLearner reads one collected progress file; its name says whose it is.
func readLearner(file string, all []exercises.Exercise) (learner, error) {
	who := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	l := learner{Who: who, Doing: map[string]string{}}
	r, err := os.Open(file)
	if err != nil {
		return l, fmt.Errorf("read progress: %w", err)
	}
	defer r.Close()
	var entries []progress.Entry
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		var e progress.Entry
		if json.Unmarshal(lines.Bytes(), &e) == nil {
			entries = append(entries, e)
		}
	}
	did := doneWith(entries)
	for _, e := range all {
		switch word := standing(did[e.Slug]); word {
		case "":
		case "passed":
			l.Passed++
			l.Doing[e.Slug] = word
		default:
			l.Begun++
			l.Doing[e.Slug] = word
		}
	}
	return l, lines.Err()
}
