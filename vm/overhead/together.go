package overhead

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// Pair is one measure of one subject in two results.
type Pair struct {
	Measure string  `json:"measure"`
	Subject string  `json:"subject"`
	Unit    string  `json:"unit"`
	A       Summary `json:"a"`
	B       Summary `json:"b"`
	Agree   bool    `json:"agree"`
}

// Together sets two results side by side: two machines, or two days.
type Together struct {
	Schema     int           `json:"schema"`
	Event      string        `json:"event"`
	Conditions [2]Conditions `json:"conditions"`
	Pairs      []Pair        `json:"pairs"`
	Agree      int           `json:"agree"`    // pairs whose intervals overlap, or whose medians are the same
	OnlyOne    []string      `json:"only_one"` // what one of them lacks
	names      [2]string
	results    [2]*Result
}

// Beside puts two results side by side; the names are those of their files.
func Beside(a, b *Result, names [2]string) *Together {
	t := &Together{Schema: Schema, Event: "compare-two", Conditions: [2]Conditions{a.Conditions, b.Conditions}, Pairs: []Pair{}, OnlyOne: []string{},
		names: names, results: [2]*Result{a, b}}
	for _, m := range Measures() {
		for _, one := range a.Of(m.Key) {
			other := b.Find(m.Key, one.Subject)
			if other == nil || len(other.Samples) == 0 {
				t.OnlyOne = append(t.OnlyOne, m.Key+" of "+one.Subject)
				continue
			}
			p := Pair{Measure: m.Key, Subject: one.Subject, Unit: m.Unit, A: one.Summary(), B: other.Summary()}
			if p.Agree = p.A.Agree(p.B); p.Agree {
				t.Agree++
			}
			t.Pairs = append(t.Pairs, p)
		}
		for _, other := range b.Of(m.Key) {
			if one := a.Find(m.Key, other.Subject); one == nil || len(one.Samples) == 0 {
				t.OnlyOne = append(t.OnlyOne, m.Key+" of "+other.Subject)
			}
		}
	}
	return t
}

// Write writes it as a line of JSON.
func (t *Together) Write(w io.Writer) error { return json.NewEncoder(w).Encode(t) }

// Table writes it for people, in 80 columns.
func (t *Together) Table(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintln(&b, " two comparisons side by side")
	for n, r := range t.results {
		fmt.Fprintf(&b, "\n %s  %s\n", string(rune('A'+n)), t.names[n])
		r.conditions(&b)
	}
	last := ""
	for _, p := range t.Pairs {
		if m, _ := MeasureOf(p.Measure); p.Measure != last {
			last = p.Measure
			fmt.Fprintf(&b, "\n %s, %s\n  %-16s %7s  %-16s %7s  %-16s %6s\n", m.Title, m.Unit, "", "A", "", "B", "", "B / A")
		}
		mark := ""
		if !p.Agree {
			mark = " *"
		}
		fmt.Fprintf(&b, "  %-16s %7s  %-16s %7s  %-16s %6s%s\n", p.Subject, number(p.A.Median), p.A.interval(), number(p.B.Median), p.B.interval(), times(p.B.Median/p.A.Median), mark)
	}
	fmt.Fprintf(&b, "\n %d of %d agree: the 95%% intervals of their medians overlap, or the medians are\n within 1%% of each other; * marks the others\n", t.Agree, len(t.Pairs))
	for _, what := range t.OnlyOne {
		fmt.Fprintf(&b, "   only in one of them: %s\n", what)
	}
	_, err := w.Write(b.Bytes())
	return err
}
