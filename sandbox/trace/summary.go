package trace

import (
	"fmt"
	"io"
	"strings"

	"cutaway/sandbox/inspect"
)

// Tally is a Sink that counts what went by, for the Summary at the end. A step
// that was done again, after going back, counts once.
type Tally struct {
	stages, steps map[string]bool
	kinds         map[inspect.Kind]bool
	probes        int
	failed        int
	lacks         []string
}

// NewTally returns a Tally that has seen nothing yet.
func NewTally() *Tally {
	return &Tally{stages: map[string]bool{}, steps: map[string]bool{}, kinds: map[inspect.Kind]bool{}}
}

// Emit counts one Event.
func (t *Tally) Emit(e Event) {
	switch e.Event {
	case StageEvent:
		if e.Lacks != "" { // found out at the start or at the end
			t.lacks = append(t.lacks, e.Stage+": "+e.Lacks)
			delete(t.stages, e.Stage)
		} else if !e.Done {
			t.stages[e.Stage] = true
		}
	case StepEvent:
		t.steps[fmt.Sprintf("%s %d", e.Stage, e.Step)] = true
		for _, objs := range [][]inspect.Object{e.Created, e.Changed, e.Removed} {
			for _, o := range objs {
				t.kinds[o.Kind] = true
			}
		}
	case ProbeEvent:
		if e.OK != nil {
			t.probes++
			if !*e.OK {
				t.failed++
			}
		}
	}
}

// Summary gives the counts; the caller adds what only it knows.
func (t *Tally) Summary() Summary {
	return Summary{Stages: len(t.stages), Steps: len(t.steps), Kinds: len(t.kinds),
		Probes: t.probes, Failed: t.failed, Lacks: append([]string(nil), t.lacks...)}
}

// Summary is the end of a tour.
type Summary struct {
	Stages, Steps, Kinds int
	Lines                []string // what the container is made of: "7 namespaces", "1 seccomp filter"
	Probes, Failed       int      // observations checked, and how many were not as expected
	Lacks                []string // stages this machine cannot do: "09-time: the reason"
	Compared             int      // kinds of object in the snapshots of the host; 0 if not compared
	HostClean            bool     // whether the two snapshots are equal
	Left                 []string // what differs if they are not: "mount 512 at /run/cutaway/c1"
}

// WriteSummary renders a Summary for people.
func WriteSummary(w io.Writer, o TextOptions, s Summary) error {
	t := NewText(w, o)
	t.line("")
	seen := fmt.Sprintf("%s, %s, %s of kernel object seen", plural(s.Stages, "stage", "stages"),
		plural(s.Steps, "step", "steps"), plural(s.Kinds, "kind", "kinds"))
	if len(s.Lines) == 0 {
		t.lines(1, wrap(seen+".", t.cols-1))
	} else {
		t.lines(1, wrap(seen+"; your container is made of", t.cols-1))
		t.madeOf(s.Lines)
		t.lines(1, wrap(`none of them is a "container": the kernel has no such thing.`, t.cols-1))
	}
	t.line("")
	t.outcome(s)
	if _, err := w.Write(t.out.Bytes()); err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	return nil
}

// madeOf sets short labels side by side, three spaces apart.
func (t *Text) madeOf(labels []string) {
	line := ""
	for _, label := range cleanLines(labels) {
		if line != "" && width(line)+3+width(label) <= t.cols-3 {
			line += "   " + label
			continue
		}
		if line != "" {
			t.line("   " + t.ink.bold(line))
		}
		parts := split(label, t.cols-3)
		t.lines(3, parts[:len(parts)-1])
		line = parts[len(parts)-1]
	}
	t.line("   " + t.ink.bold(line))
}

// outcome says whether all was as expected and the host is as it was.
func (t *Text) outcome(s Summary) {
	for _, l := range s.Lacks {
		t.lines(0, hang(" not done here: ", wrap(cleanLine(l), t.cols-16)))
	}
	switch {
	case s.Failed > 0:
		t.line(" " + t.ink.bad(fmt.Sprintf("%s, %d NOT as expected", plural(s.Probes, "observation", "observations"), s.Failed)))
	case s.Probes > 0:
		t.line(" " + plural(s.Probes, "observation", "observations") + ", all as expected")
	}
	if s.Compared == 0 {
		return
	}
	answer, paint := "yes", t.ink.good
	if !s.HostClean {
		answer, paint = "NO", t.ink.bad
	}
	const question = " host before = host after: "
	kinds := fmt.Sprintf("(snapshot of %s compared)", plural(s.Compared, "kind", "kinds"))
	after := wrap(answer+" "+kinds, t.cols-len(question))
	after[0] = paint(answer) + strings.TrimPrefix(after[0], answer)
	t.lines(0, hang(question, after))
	if s.HostClean {
		return
	}
	for _, l := range s.Left {
		t.lines(3, wrap(cleanLine(l), t.cols-3))
	}
}
