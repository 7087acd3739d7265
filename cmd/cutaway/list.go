package main

import (
	"os"

	"cutaway/sandbox/features"
	"cutaway/sandbox/trace"
	"cutaway/stages"
)

// listStages shows what there is to play, and marks what this machine lacks.
func (c *cli) listStages() error {
	f, err := features.Detect()
	if err != nil {
		return err
	}
	seen, err := stages.Seen()
	if err != nil {
		return err
	}
	var rows [][]string
	for _, s := range stages.All {
		lacks := ""
		if err := s.Lacks(f); err != nil {
			lacks = err.Error()
		}
		if c.json() {
			if err := writeJSON(trace.Event{Schema: trace.Schema, Event: trace.StageEvent, Stage: s.Slug, Title: s.Title, Belief: s.Belief,
				Lesson: s.Lesson, Code: s.Code, Lacks: lacks, Done: seen[s.Slug]}); err != nil {
				return err
			}
			continue
		}
		mark, shows := " ", s.Belief
		switch {
		case lacks != "":
			mark, shows = "!", "NOT HERE: "+lacks
		case seen[s.Slug]:
			mark = "x"
		}
		rows = append(rows, []string{mark + " " + s.Slug, s.Title, shows})
	}
	if c.json() {
		return nil
	}
	return trace.Table(os.Stdout, c.text(os.Stdout), []string{"  Stage", "Adds", "Refutes"}, rows)
}
