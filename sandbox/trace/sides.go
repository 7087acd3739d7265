package trace

import (
	"fmt"
	"strings"

	"cutaway/sandbox/inspect"
)

const (
	longValue = 64 // runes of a value shown of two sides; the JSON form has all
	shortFact = 28 // a value no longer than this is shown with its name
)

// sides renders the Rows of a note: what is alike by its name alone, kind by
// kind, then a table of what differs. PairTable leaves out nothing.
func (t *Text) sides(e Event) {
	names := append(append([]string{}, e.Sides...), "one", "other")
	same, differ := 0, [][]string{}
	t.line("")
	t.line("   the same in both:")
	for _, of := range byKind(e.Rows) {
		var alike []string
		for _, r := range of {
			if r.Same {
				alike = append(alike, alikeName(r))
				continue
			}
			r.A, r.B = cut(r.A, longValue), cut(r.B, longValue)
			differ = append(differ, pairCells(r))
		}
		if same += len(alike); len(alike) > 0 {
			t.lines(0, hang("   = "+padTo(string(of[0].Kind), 8)+" ", fill(alike, ", ", t.cols-14, 0)))
		}
	}
	t.line("")
	p := pairTable{cols: t.cols, a: names[0], b: names[1], grid: grid{indent: 1, ink: t.ink, ascii: t.o.ASCII}}
	if p.cols < minTable {
		p.list(&t.out, differ)
	} else if err := p.table(&t.out, differ); err != nil && t.err == nil {
		t.err = err
	}
	t.line(" " + t.ink.faint(fmt.Sprintf("%d the same, %d different", same, len(differ))))
}

// byKind splits rows, which come kind by kind, where the kind changes.
func byKind(rows []inspect.Row) [][]inspect.Row {
	var out [][]inspect.Row
	for i, r := range rows {
		if i == 0 || rows[i-1].Kind != r.Kind {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], r)
	}
	return out
}

// alikeName names what two sides share, with its value where that is short and
// a fact of the process; the thirty facts of a mount are not what is asked for.
func alikeName(r inspect.Row) string {
	switch r.Kind {
	case inspect.Process, inspect.Caps, inspect.Seccomp, inspect.IDMap, inspect.Cgroup:
		if width(r.A) <= shortFact {
			return r.Name + " " + r.A
		}
	}
	return strings.TrimPrefix(r.Name, "RLIMIT_")
}
