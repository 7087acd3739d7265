package trace

import (
	"fmt"
	"io"
)

// Finding is one thing a doctor looked at: how it is, what was found, and
// where not all is well what follows from it and what to do.
type Finding struct{ Level, Check, Found, Cause, Fix string }

// WriteFinding writes a finding: a line, and two more if something is wrong.
func WriteFinding(w io.Writer, o TextOptions, f Finding) error {
	t := NewText(w, o)
	const level, check = 8, 17 // widths of the first two columns
	mark := t.ink.good
	if f.Cause != "" {
		mark = t.ink.bad
	}
	first := " " + mark(padTo(cleanLine(f.Level), level)) + padTo(cleanLine(f.Check), check)
	indent := 1 + level + check
	for i, l := range wrap(cleanLine(f.Found), t.cols-indent) {
		if i > 0 {
			first = spaces(indent)
		}
		t.line(first + l)
	}
	for _, more := range [][2]string{{"because ", f.Cause}, {"fix     ", f.Fix}} {
		if more[1] != "" {
			t.lines(0, hang(spaces(1+level)+more[0], wrap(cleanLine(more[1]), t.cols-1-level-len(more[0]))))
		}
	}
	if _, err := w.Write(t.out.Bytes()); err != nil {
		return fmt.Errorf("write finding: %w", err)
	}
	return nil
}
