package trace

import (
	"strings"

	"github.com/fatih/color"
)

// ink paints text, or leaves it as it is when colour is off. Only weight and
// three hues are used; each goes with a mark or a word that says the same.
type ink bool

func (i ink) paint(s string, attr ...color.Attribute) string {
	if !bool(i) || s == "" {
		return s
	}
	c := color.New(attr...)
	c.EnableColor() // the options decide, not the package's guess about stdout
	return c.Sprint(s)
}

func (i ink) bold(s string) string  { return i.paint(s, color.Bold) }
func (i ink) faint(s string) string { return i.paint(s, color.Faint) }
func (i ink) good(s string) string  { return i.paint(s, color.FgGreen) }
func (i ink) bad(s string) string   { return i.paint(s, color.FgRed, color.Bold) }

// mark paints + green, ~ yellow and - red.
func (i ink) mark(m string) string {
	switch m {
	case "+":
		return i.paint(m, color.FgGreen, color.Bold)
	case "~":
		return i.paint(m, color.FgYellow, color.Bold)
	case "-":
		return i.paint(m, color.FgRed, color.Bold)
	}
	return m
}

// Bold and Faint weigh text down or lighten it where the options have colour.
func (o TextOptions) Bold(s string) string { return ink(o.Color).bold(s) }

// Faint is for what is there to be skipped.
func (o TextOptions) Faint(s string) string { return ink(o.Color).faint(s) }

// Columns is the width to lay out for, and Cells how wide a text is there.
func (o TextOptions) Columns() int { return o.columns() }

// Wrap makes text safe to show and breaks it into lines of at most width cells.
func Wrap(s string, width int) string { return strings.Join(wrap(clean(s), width), "\n") }

// Cells measures a text in terminal cells.
func Cells(s string) int { return width(s) }
