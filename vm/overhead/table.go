package overhead

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// baseline is what most measures are compared with.
const baseline = "process"

// Table writes the result for people, in 80 columns.
func (r *Result) Table(w io.Writer) error {
	var b bytes.Buffer
	r.head(&b)
	for _, m := range Measures() {
		r.measure(&b, m)
	}
	r.foot(&b)
	_, err := w.Write(b.Bytes())
	return err
}

// head says what was compared, where.
func (r *Result) head(b *bytes.Buffer) {
	fmt.Fprintln(b, " VM versus container, measured")
	r.conditions(b)
}

// conditions say what the numbers depend on.
func (r *Result) conditions(b *bytes.Buffer) {
	for _, row := range r.rows() {
		wrapped(b, row[0], row[1])
	}
}

func (r *Result) rows() [][2]string {
	c := r.Conditions
	return [][2]string{{"kernel", c.Kernel}, {"machine", c.Machine}, {"control groups", c.Cgroups}, {"program", c.Program},
		{"date", c.Date.Format(time.DateTime)}, {"machines run", r.accelerator()}, {"runs", r.runs()}, {"load", r.load()}}
}

// accelerator says by what machines were run.
func (r *Result) accelerator() string {
	if !slices.ContainsFunc(r.Contenders, func(e Entry) bool { return e.Kind == Machine }) {
		return "none"
	}
	text := Accelerated(r.Conditions.Accelerator)
	if why := firstFact(r.Conditions.NoKVM); why != "" {
		text += ": " + why
	}
	return text
}

// firstFact is the beginning of an explanation that quotes a console.
func firstFact(text string) string {
	line, _, _ := strings.Cut(text, "; its console")
	line, _, _ = strings.Cut(line, "\n")
	return line
}

// runs says how many samples there are of what.
func (r *Result) runs() string {
	c := r.Conditions
	text := fmt.Sprintf("%d passes of %d runs each, in random order, after a warm-up; of machines that are booted for it, %d a pass; n says how many there were. Of fewer than %d the range stands in brackets", c.Passes, c.Rounds, c.Boots, few)
	if c.Cut {
		text += "; ended early, because the time was up"
	}
	if c.Took != "" {
		text += "; took " + c.Took
	}
	return text
}

// measure writes the rows of one measure.
func (r *Result) measure(b *bytes.Buffer, m Measure) {
	all := r.Of(m.Key)
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(b, "\n %s, %s (%s)\n", m.Title, m.Unit, m.better())
	fmt.Fprintf(b, "  %-17s %4s %8s  %-18s %-18s %7s\n", "", "n", "median", "quartiles", "95% interval", "times")
	base := math.NaN()
	if s := r.Find(m.Key, m.base()); s != nil {
		base = s.Summary().Median
	}
	for _, one := range all {
		s := one.Summary()
		fmt.Fprintf(b, "  %-17s %4d %8s  %-18s %-18s %7s\n", r.label(one), s.N, m.number(s.Median),
			s.quartiles(), s.interval(), times(s.Median/base))
	}
}

// better says in which direction.
func (m Measure) better() string {
	if m.More {
		return "more is better"
	}
	return "less is better"
}

// quartiles and interval are what stands in a table; of few samples there is only
// the range, in brackets.
func (s Summary) quartiles() string {
	if s.N < few {
		return "-"
	}
	return number(s.Q1) + " - " + number(s.Q3)
}

func (s Summary) interval() string {
	text := number(s.Low) + " - " + number(s.High)
	switch {
	case s.N < 2:
		return "-"
	case s.N < few:
		return "(" + text + ")"
	}
	return text
}

// label is a subject's name with how it was run, if it is a machine.
func (r *Result) label(s *Series) string {
	if s.Kind == Machine {
		return s.Subject + " (" + r.Conditions.Accelerator + ")"
	}
	return s.Subject
}

// foot names what was not measured.
func (r *Result) foot(b *bytes.Buffer) {
	if len(r.Absent) == 0 {
		return
	}
	fmt.Fprintln(b, "\n not measured")
	for _, a := range r.Absent {
		wrapped(b, a.Name, a.Why)
	}
}

// number writes a value with three significant digits, or all before the point.
func number(v float64) string {
	switch abs := math.Abs(v); {
	case math.IsNaN(v):
		return "-"
	case abs >= 1e6:
		return fmt.Sprintf("%.3gM", v/1e6)
	case abs >= 100 || v == math.Trunc(v):
		return fmt.Sprintf("%.0f", v)
	case abs >= 10:
		return fmt.Sprintf("%.1f", v)
	case abs >= 0.01:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.2g", v)
}

// number writes a value of this measure; counting may have stopped there.
func (m Measure) number(v float64) string {
	if m.Bound > 0 && v >= m.Bound {
		return ">=" + number(m.Bound)
	}
	return number(v)
}

// times writes a ratio; one to nothing, or to less, is none.
func times(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
		return ""
	}
	return "x" + number(v)
}

// wrapped writes a name and a text beside it, in lines of 80 columns.
func wrapped(b *bytes.Buffer, name, text string) {
	const indent, width = 19, 80
	line := fmt.Sprintf("   %-*s", indent-3, name)
	if utf8.RuneCountInString(name) > indent-4 {
		fmt.Fprintln(b, "   "+name)
		line = strings.Repeat(" ", indent)
	}
	for word := range strings.FieldsSeq(text) {
		if utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width && strings.TrimSpace(line) != "" {
			fmt.Fprintln(b, strings.TrimRight(line, " "))
			line = strings.Repeat(" ", indent-1)
		}
		if strings.HasSuffix(line, " ") && len(line) >= indent {
			line += word
			continue
		}
		line += " " + word
	}
	fmt.Fprintln(b, strings.TrimRight(line, " "))
}
