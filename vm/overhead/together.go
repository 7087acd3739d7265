package overhead

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Pair is one measure of one subject in two results.
type Pair struct {
	Measure string  `json:"measure"`
	Subject string  `json:"subject"`
	Unit    string  `json:"unit"`
	A       Summary `json:"a"`
	B       Summary `json:"b"`
	Agree   bool    `json:"agree"`
	Counts  bool    `json:"counts"` // both have runs enough for an interval
}

// Together sets two results side by side: two machines, or two days.
type Together struct {
	Schema     int           `json:"schema"`
	Event      string        `json:"event"`
	Conditions [2]Conditions `json:"conditions"`
	Pairs      []Pair        `json:"pairs"`
	Agree      int           `json:"agree"`    // pairs that count, whose intervals overlap or whose medians are the same
	Of         int           `json:"of"`       // pairs that count
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
			p.Agree, p.Counts = p.A.Agree(p.B), min(p.A.N, p.B.N) >= few
			if p.Counts {
				t.Of++
			}
			if p.Counts && p.Agree {
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

// agreement says what agrees, and what was left out of the count.
func (t *Together) agreement() string {
	text := "the 95% intervals of their medians overlap, or the medians are within 1% of each other"
	if rest := len(t.Pairs) - t.Of; rest > 0 {
		text += fmt.Sprintf("; %d with fewer than %d runs are not counted", rest, few)
	}
	return text
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
		if !p.Agree && p.Counts {
			mark = " *"
		}
		fmt.Fprintf(&b, "  %-16s %7s  %-16s %7s  %-16s %6s%s\n", p.Subject, number(p.A.Median), p.A.interval(), number(p.B.Median), p.B.interval(), times(p.B.Median/p.A.Median), mark)
	}
	fmt.Fprintln(&b)
	wrapped(&b, fmt.Sprintf("%d of %d agree", t.Agree, t.Of), t.agreement()+"; * marks the others")
	if n := len(t.OnlyOne); n > 0 {
		const most = 6
		text := strings.Join(t.OnlyOne[:min(n, most)], ", ")
		if n > most {
			text += fmt.Sprintf(" and %d more", n-most)
		}
		wrapped(&b, "only in one", text)
	}
	_, err := w.Write(b.Bytes())
	return err
}
