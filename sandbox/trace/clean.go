package trace

import (
	"cutaway/sandbox/inspect"
	"cutaway/sandbox/sys"
)

// cleaned is the event with every string in it made safe to show (clean says
// how). Text that may have several lines keeps them; the rest is one line.
func cleaned(e Event) Event {
	for _, s := range []*string{&e.Stage, &e.Where, &e.Op, &e.Why, &e.Title,
		&e.Belief, &e.Lesson, &e.Code, &e.Read, &e.Next, &e.Lacks, &e.Hint,
		&e.Cmd, &e.Expect, &e.Signal} {
		*s = cleanLine(*s)
	}
	for _, s := range []*string{&e.Shell, &e.Text, &e.Output} {
		*s = clean(*s)
	}
	e.SoFar, e.Sides = cleanLines(e.SoFar), cleanLines(e.Sides)
	e.Rows = cleanRows(e.Rows)
	e.Calls = cleanCalls(e.Calls)
	e.Created = cleanObjects(e.Created)
	e.Changed = cleanObjects(e.Changed)
	e.Removed = cleanObjects(e.Removed)
	e.Unexpected = cleanLines(e.Unexpected)
	e.Missing = cleanLines(e.Missing)
	return e
}

func cleanLines[S ~string](in []S) []S {
	out := make([]S, len(in))
	for i, s := range in {
		out[i] = S(cleanLine(string(s)))
	}
	return out
}

func cleanCalls(in []sys.Call) []sys.Call {
	out := make([]sys.Call, len(in))
	for i, c := range in {
		c.Name, c.Errno, c.Args = cleanLine(c.Name), cleanLine(c.Errno), cleanLines(c.Args)
		out[i] = c
	}
	return out
}

func cleanObjects(in []inspect.Object) []inspect.Object {
	out := make([]inspect.Object, len(in))
	for i, o := range in {
		o.Kind = inspect.Kind(cleanLine(string(o.Kind)))
		o.ID, o.Where = cleanLine(o.ID), cleanLine(o.Where)
		o.Detail, o.Was = cleanDetail(o.Detail), cleanDetail(o.Was)
		out[i] = o
	}
	return out
}

func cleanDetail(in inspect.Detail) inspect.Detail {
	out := make(inspect.Detail, len(in))
	for i, f := range in {
		f.Key, f.Value = cleanLine(f.Key), cleanLine(f.Value)
		out[i] = f
	}
	return out
}

func cleanRows(in []inspect.Row) []inspect.Row {
	out := make([]inspect.Row, len(in))
	for i, r := range in {
		r.Kind = inspect.Kind(cleanLine(string(r.Kind)))
		r.Name, r.A, r.B = cleanLine(r.Name), cleanLine(r.A), cleanLine(r.B)
		out[i] = r
	}
	return out
}
