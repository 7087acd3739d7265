package main

import (
	"fmt"
	"os"

	"cutaway/sandbox/features"
	"cutaway/stages"
)

func (c *cli) listStages() error {
	f, err := features.Detect()
	if err != nil {
		return err
	}
	for _, s := range stages.All {
		mark := ""
		if err := s.Lacks(f); err != nil {
			mark = "  not here: " + err.Error()
		}
		fmt.Fprintf(os.Stdout, "%-14s %s%s\n", s.Slug, s.Title, mark)
	}
	return nil
}
