package trace

import "fmt"

// step renders one Step: the calls made and why now, the same by hand, and the
// kernel objects that came, changed and went.
func (t *Text) step(e Event) {
	t.looking = false
	t.line("")
	head := fmt.Sprintf("step %d of %d   %s", e.Step, e.Of, place(e.Where, e.PID))
	t.callsAndWhy(head, callLines{calls: e.Calls, op: e.Op, results: true}, e.Why)
	t.byHand(e.Shell)
	t.objects(e)
}

// planned renders a Step that was not done: what it would call, with a mark if
// it is new in this stage.
func (t *Text) planned(e Event) {
	t.line("")
	head := fmt.Sprintf("step %d of %d   %s", e.Step, e.Of, place(e.Where, 0))
	if e.New {
		head += "   new"
	}
	t.callsAndWhy(head, callLines{calls: e.Calls, op: e.Op}, e.Why)
	t.byHand(e.Shell)
}

// place says which of the processes acts.
func place(where string, pid int) string {
	switch {
	case where == "host":
		return "on the host"
	case where == "":
		return ""
	case pid > 0:
		return fmt.Sprintf("in %s, pid %d", where, pid)
	}
	return "in " + where
}

// callsAndWhy puts the calls on the left and the reason on the right if the
// calls fit there, and one under the other if they do not.
func (t *Text) callsAndWhy(head string, calls callLines, why string) {
	const indent, gap = 3, 2
	left, fits := calls.layout(t.right - indent - gap)
	if !fits || width(head)+1+gap > t.right || why == "" || t.cols < 60 {
		t.headLine(head, "")
		left, _ = calls.layout(t.cols - indent)
		t.lines(indent, left)
		if why != "" {
			t.aside("why now:", wrap(why, t.cols-13))
		}
		return
	}
	t.headLine(head, "why now")
	right := wrap(why, t.cols-t.right)
	for i := range max(len(left), len(right)) {
		var l, r string
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = t.ink.faint(right[i])
		}
		t.line(padTo(spaces(indent)+l, t.right) + r)
	}
}

// headLine starts a block: its name, and the name of its right-hand side.
func (t *Text) headLine(head, right string) {
	if right == "" {
		t.line(" " + t.ink.bold(cut(head, t.cols-1)))
		return
	}
	t.line(t.ink.bold(padTo(" "+head, t.right)) + t.ink.faint(right))
}

// aside is a line of the lab's own words under the calls.
func (t *Text) aside(label string, ls []string) {
	for i, l := range hang(spaces(3)+padTo(label, 10), ls) {
		if i == 0 {
			l = spaces(3) + t.ink.faint(padTo(label, 10)) + ls[0]
		}
		t.line(l)
	}
}
