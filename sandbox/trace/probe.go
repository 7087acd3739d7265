package trace

import (
	"fmt"
	"strings"
)

const (
	manyLines = 14 // of a probe's output; a longer one is shown in part
	fewLines  = 10

	answerIndent = 14 // columns before what a probe's command printed
	silent       = "(no output)"
)

// probe renders a command run to observe: what it printed on the left, what
// should be seen and whether it was on the right. The first after the steps
// goes under the heading "look".
func (t *Text) probe(e Event) {
	if t.last != ProbeEvent {
		t.line("")
	}
	if !t.looking {
		t.line(" " + t.ink.bold("look"))
	}
	t.looking = true
	e.Where = cut(e.Where, 8)
	out, effects := t.output(e), t.effects(e)
	verdict, good := verdictOf(e)
	ask := "   " + padTo(e.Where, 8) + " $ " + e.Cmd
	if e.Where == "" {
		ask = "   $ " + e.Cmd
	}
	// One line for a short command with a short answer.
	const answerAt = 34
	if len(out) == 1 && len(effects) == 0 && width(ask)+2 <= answerAt && answerAt+width(out[0])+2 <= t.right {
		t.beside([]string{padTo(ask, answerAt) + out[0]}, verdict, good)
		return
	}
	t.lines(0, hang(spaces(3)+padTo(e.Where, 8)+" $ ", wrap(e.Cmd, t.cols-answerIndent)))
	var left []string
	for _, l := range out {
		left = append(left, hang(spaces(answerIndent), split(l, t.cols-answerIndent))...)
	}
	if len(effects) > 0 && out[0] == silent { // what it did says it all
		t.lines(0, effects)
		t.under(verdict, good)
		return
	}
	t.beside(left, verdict, good)
	t.lines(0, effects)
}

// effects are the objects that the probe's command changed.
func (t *Text) effects(e Event) (lines []string) {
	for _, o := range e.Changed {
		for _, l := range t.changed(o, t.cols-answerIndent) {
			lines = append(lines, spaces(answerIndent)+l)
		}
	}
	return lines
}

// output is what the probe's command printed, a line each, and how it ended if
// it did not end well.
func (t *Text) output(e Event) []string {
	var out []string
	if e.Output != "" {
		out = strings.Split(e.Output, "\n")
	}
	if len(out) > manyLines {
		rest := len(out) - fewLines
		out = append(out[:fewLines:fewLines], fmt.Sprintf("... %d more lines", rest))
	}
	switch {
	case e.Signal != "":
		out = append(out, "(killed by "+e.Signal+")")
	case e.Status != nil && *e.Status != 0:
		out = append(out, fmt.Sprintf("(exit status %d)", *e.Status))
	}
	if len(out) == 0 {
		out = []string{silent}
	}
	return out
}

// verdictOf says whether what was seen is what should be.
func verdictOf(e Event) (words string, good bool) {
	switch {
	case e.OK == nil:
		return e.Expect, true
	case !*e.OK && e.Expect == "":
		return "NOT as expected", false
	case !*e.OK:
		return "NOT as expected: expected " + e.Expect, false
	case e.Expect == "":
		return "as expected", true
	}
	return "as expected: " + e.Expect, true
}

// beside writes lines with the verdict to their right, or under them if they
// reach too far.
func (t *Text) beside(left []string, verdict string, good bool) {
	paint := t.verdictInk(good)
	right := wrap(verdict, t.cols-t.right)
	if verdict == "" {
		right = nil
	}
	clear := t.cols >= 60
	for i := range min(len(left), len(right)) {
		clear = clear && width(left[i])+2 <= t.right
	}
	if !clear {
		t.lines(0, left)
		t.under(verdict, good)
		return
	}
	for i := range max(len(left), len(right)) {
		var l, r string
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = paint(right[i])
		}
		t.line(padTo(l, t.right) + r)
	}
}

// under writes the verdict below what it is about.
func (t *Text) under(verdict string, good bool) {
	for _, l := range wrap(verdict, t.cols-answerIndent) {
		t.line(spaces(answerIndent) + t.verdictInk(good)(l))
	}
}

func (t *Text) verdictInk(good bool) func(string) string {
	if good {
		return t.ink.faint
	}
	return t.ink.bad
}
