package main

import (
	"strings"
	"testing"

	"cutaway/exercises"
	"cutaway/lessons"
	"cutaway/sandbox/trace"

	"github.com/stretchr/testify/require"
)

// A task fits on a terminal, with the longest that can be drawn for it.
func TestTasksFit(t *testing.T) {
	all, err := exercises.All()
	require.NoError(t, err)
	for _, e := range all {
		task := e.Task
		for name, from := range e.Params {
			longest := from
			if from == "word" {
				longest = "brisk-heron999"
			} else {
				for _, w := range strings.Fields(from)[1:] {
					if longest == from || len(w) > len(longest) {
						longest = w
					}
				}
			}
			task = strings.ReplaceAll(task, "{{"+name+"}}", longest)
		}
		require.NotContains(t, task, "{{", e.Slug)
		for line := range strings.Lines(task) {
			if code, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "    "); ok { // nothing breaks it
				require.LessOrEqual(t, trace.Cells(code)+3, 80, "%s: %q", e.Slug, code)
			}
		}
		for line := range strings.Lines(lessons.Text([]byte(task), trace.TextOptions{Width: 80})) {
			require.LessOrEqual(t, trace.Cells(strings.TrimRight(line, "\n")), 80, "%s: %q", e.Slug, line)
		}
	}
}
