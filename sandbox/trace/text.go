package trace

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// Text renders Events for people: at most TextOptions.Width columns, readable
// without colour, the kernel's facts on the left and the lab's own words on
// the right or fainter.
//
// Every line starts one column in; step.go, objects.go and probe.go have the
// blocks that make up most of a stage.
type Text struct {
	w     io.Writer
	o     TextOptions
	cols  int // width of a line
	right int // column (from 0) of the right-hand side of a two-column block
	ink   ink

	out     bytes.Buffer // the block being rendered; written out by Emit
	last    string       // the kind of the Event before, "" at the start
	looking bool         // the heading over this stage's probes is written
	err     error
}

// NewText returns a Text that writes to w.
func NewText(w io.Writer, o TextOptions) *Text {
	cols := o.columns()
	return &Text{w: w, o: o, cols: cols, right: 3 + (cols-3)*56/100, ink: ink(o.Color)}
}

// Emit renders one Event with one write, so that output of others on the same
// terminal falls between blocks, not into them. After the first write error
// nothing more is written.
func (t *Text) Emit(e Event) {
	if t.err != nil || e.Event == EarlierEvent { // which is known from earlier
		return
	}
	e = cleaned(e)
	switch e.Event {
	case StageEvent:
		t.stage(e)
	case StepEvent:
		t.step(e)
	case PlanEvent:
		t.planned(e)
	case ProbeEvent:
		t.probe(e)
	case NoteEvent:
		t.labelled(e.Event, "note", e.Text)
		if len(e.Rows) > 0 {
			t.sides(e)
		}
	case PredictEvent:
		t.labelled(e.Event, "predict", e.Text)
	case ExitEvent:
		t.labelled(e.Event, "exit", exitWords(e))
	case ErrorEvent:
		t.fault(e)
	default: // an Event newer than this renderer: better shown than lost
		t.labelled(e.Event, e.Event, e.Text)
	}
	t.last = e.Event
	if _, err := t.w.Write(t.out.Bytes()); err != nil {
		t.err = fmt.Errorf("write event %s as text: %w", e.Event, err)
	}
	t.out.Reset()
}

// Err returns the first error met while writing, or nil.
func (t *Text) Err() error { return t.err }

// line adds one line, without spaces at its end.
func (t *Text) line(s string) {
	t.out.WriteString(strings.TrimRight(s, " "))
	t.out.WriteByte('\n')
}

// lines adds several, each with the same indent.
func (t *Text) lines(indent int, ls []string) {
	for _, l := range ls {
		t.line(spaces(indent) + l)
	}
}

// stage renders the event that opens a stage, and the one that closes it.
func (t *Text) stage(e Event) {
	t.looking = false
	if e.Done {
		t.closing(e)
		return
	}
	t.line("")
	if t.last != "" {
		t.line("") // a wider gap between stages than between their blocks
	}
	t.stageHeader(e)
	if len(e.SoFar) > 0 {
		names := append([]string(nil), e.SoFar...)
		if here := len(names) - 1; names[here] == shortName(e.Stage) {
			names[here] = "[" + names[here] + "]"
		}
		t.label("so far", fill(names, " ", t.cols-10, 0))
	}
	if e.Belief != "" {
		t.label("belief", wrap(`"`+strings.Trim(e.Belief, `"`)+`"`, t.cols-10))
	}
	t.lacks(e.Lacks)
}

// lacks marks a stage that cannot be done here, never passed over silently.
func (t *Text) lacks(reason string) {
	if reason != "" {
		t.label("lacks", wrap("this machine cannot do this stage: "+reason, t.cols-10))
	}
}

// stageHeader is the slug, the title, and how far along this is, over a rule.
func (t *Text) stageHeader(e Event) {
	e.Stage = cut(e.Stage, 16)
	place := ""
	if n := stageNumber(e.Stage); n != "" {
		place = "stage " + n
		if e.Of > 0 {
			place += fmt.Sprintf(" of %d", e.Of)
		}
	}
	title := wrap(e.Title, max(t.cols-1-width(e.Stage)-3-width(place)-2, 12))
	for i, l := range hang(" "+e.Stage+"   ", title) {
		if i == 0 {
			if width(l)+width(place)+2 > t.cols {
				t.line(padTo("", t.cols-width(place)) + t.ink.faint(place))
				place = ""
			}
			l = t.ink.bold(padTo(l, t.cols-width(place))) + t.ink.faint(place)
		}
		t.line(l)
	}
	rule := "─"
	if t.o.ASCII {
		rule = "-"
	}
	t.line(" " + t.ink.faint(strings.Repeat(rule, t.cols-1)))
}

// closing ends a stage: what to take away from it, and where to go from here.
func (t *Text) closing(e Event) {
	if e.Lesson != "" {
		t.line("")
		for _, l := range wrap(e.Lesson, t.cols-1) {
			t.line(" " + t.ink.bold(l))
		}
	}
	t.line("")
	t.lacks(e.Lacks)
	next := ""
	if e.Next != "" {
		next = "cutaway stage " + shortName(e.Next)
	}
	for _, way := range [][2]string{{"next", next}, {"read", e.Read}, {"code", e.Code}} {
		if way[1] != "" {
			t.label(way[0], wrap(way[1], t.cols-10))
		}
	}
}

// label writes lines with a word in front, the lines starting in column 10.
func (t *Text) label(word string, ls []string) {
	word = cut(word, 8)
	for i, l := range hang(" "+padTo(word, 8)+" ", ls) {
		if i == 0 {
			l = " " + t.ink.faint(padTo(word, 8)) + strings.TrimPrefix(l, " "+padTo(word, 8))
		}
		t.line(l)
	}
}

// labelled is a block of its own, or goes on with the one of the same kind.
func (t *Text) labelled(event, word, text string) {
	if t.last != event {
		t.line("")
	}
	t.label(word, wrap(text, t.cols-10))
}

// exitWords says how the payload ended; the status of a process killed by a
// signal is the one a shell reports, 128 and the signal's number.
func exitWords(e Event) string {
	switch {
	case e.Signal != "" && e.Status != nil:
		return fmt.Sprintf("the payload was killed by %s; exit status %d", e.Signal, *e.Status)
	case e.Signal != "":
		return "the payload was killed by " + e.Signal
	case e.Status != nil:
		return fmt.Sprintf("the payload ended with exit status %d", *e.Status)
	}
	return "the payload ended"
}

// fault is an error, and its hint on a line of its own.
func (t *Text) fault(e Event) {
	t.line("")
	text := wrap(e.Text, t.cols-10)
	for i, l := range hang(" cutaway: ", text) {
		if i == 0 {
			l = " " + t.ink.bad("cutaway:") + strings.TrimPrefix(l, " cutaway:")
		}
		t.line(l)
	}
	if e.Hint != "" {
		t.lines(0, hang(" hint: ", wrap(e.Hint, t.cols-7)))
	}
}
