package overhead

import (
	"fmt"
	"strings"
	"time"
)

// liveColumns are what the live view has room for: the median so far of each
// contender. The rest is in the table in the end.
var liveColumns = []struct{ head, unit, measure string }{
	{"start", "ms", "start.first"}, {"exit", "ms", "start.exit"}, {"memory", "MiB", "memory.pss"}, {"disk+", "MiB", "disk.further"},
	{"integer", "ms", "cpu.integer"}, {"hash", "ms", "cpu.hash"}, {"getpid", "ns", "syscall.getpid"}, {"switch", "us", "syscall.switch"},
}

// Live is the view while a run is under way: how far it is, and the table filling
// in, in lines of at most 80 columns.
func (p Progress) Live() []string {
	lines := []string{p.bar()}
	if p.Preparation != "" && len(p.Result.Contenders) == 0 {
		return lines
	}
	line := fmt.Sprintf(" %-12s", "")
	units := line
	for _, c := range liveColumns {
		line += fmt.Sprintf("%8s", c.head)
		units += fmt.Sprintf("%8s", c.unit)
	}
	lines = append(lines, "", line, units)
	for _, e := range p.Result.Contenders {
		line := fmt.Sprintf(" %-12s", e.Name)
		for _, c := range liveColumns {
			cell := "."
			if s := p.Result.Find(c.measure, e.Name); s != nil && len(s.Samples) > 0 {
				cell = number(s.middle())
			}
			line += fmt.Sprintf("%8s", cell)
		}
		lines = append(lines, line)
	}
	for _, g := range []string{"net", "io", "density"} {
		cell := "."
		if n := p.Result.taken(g); n > 0 {
			cell = fmt.Sprintf("%d samples", n)
		}
		lines = append(lines, fmt.Sprintf(" %-12s %s", g, cell))
	}
	return lines
}

// bar says how far the run is.
func (p Progress) bar() string {
	const width = 28
	done := 0.0
	if p.Of > 0 {
		done = min(p.Done/p.Of, 1)
	}
	full := int(done * width)
	doing := p.Preparation
	if doing == "" {
		doing = "measuring: " + p.Group
	}
	return fmt.Sprintf(" [%s%s] %3.0f %%  %6s  %s", strings.Repeat("=", full), strings.Repeat(" ", width-full), 100*done, p.Elapsed.Round(time.Second), cut(doing, 32))
}

// middle is the median without an interval, which takes long.
func (s *Series) middle() float64 {
	var values []float64
	for _, one := range s.Samples {
		values = append(values, one.Value)
	}
	return Median(values)
}

// taken is how many samples a group has.
func (r *Result) taken(group string) (n int) {
	for _, s := range r.Series {
		if m, known := MeasureOf(s.Measure); known && m.Group() == group {
			n += len(s.Samples)
		}
	}
	return n
}

// cut shortens a text for a line that must not wrap.
func cut(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most-3]) + "..."
	}
	return text
}
