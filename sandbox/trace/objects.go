package trace

import (
	"fmt"
	"strings"

	"cutaway/sandbox/inspect"
)

const (
	manyObjects = 8 // with more than this many of one kind, most are left out
	fewObjects  = 3 // and this many are shown
)

// many and some are those numbers for a kind: a new network namespace brings a
// whole set of kernel parameters, of which none is what the step is about.
func many(k inspect.Kind) (many, some int) {
	if k == inspect.Sysctl {
		return 2, 1
	}
	return manyObjects, fewObjects
}

// objects renders what a step did to the kernel's objects: a table of what
// came, a line for what changed or went, and whether that is what the Step
// names.
func (t *Text) objects(e Event) {
	t.created(e.Created)
	shown, _, rest := few(e.Changed)
	if len(shown) > 0 && len(e.Created) == 0 {
		t.line("")
	}
	for _, o := range shown {
		t.lines(3, t.changed(brief(o), t.cols-3))
	}
	t.more("~", rest, "")
	shown, _, rest = few(e.Removed)
	if len(shown) > 0 && len(e.Created)+len(e.Changed) == 0 {
		t.line("")
	}
	for _, o := range shown {
		t.line("   " + t.removed(brief(o), t.cols-3))
	}
	t.more("-", rest, "")
	t.observed(e)
}

// created is the table of new objects. A new mount namespace starts as a copy
// of all its parent's mounts (mount_namespaces(7), "Description"), which come
// with new ids: those are counted, not listed.
func (t *Text) created(objs []inspect.Object) {
	if len(objs) == 0 {
		return
	}
	t.line("")
	shown, _, rest := few(objs)
	ot := objectTable{cols: t.cols, indent: 1, mark: "+", ink: t.ink, ascii: t.o.ASCII}
	for i := range shown {
		shown[i] = brief(shown[i])
	}
	if err := ot.render(&t.out, shown); err != nil && t.err == nil {
		t.err = err
	}
	why := ""
	for _, o := range objs {
		if o.Kind == inspect.Mnt {
			why = "copies of the ones outside"
		}
	}
	t.more("+", rest, why)
}

// leftOut counts the objects of a kind that are not shown.
type leftOut struct {
	kind inspect.Kind
	n    int
}

// few leaves out most objects of a kind that has very many, and counts them.
func few(objs []inspect.Object) (shown, hidden []inspect.Object, rest []leftOut) {
	total, seen := map[inspect.Kind]int{}, map[inspect.Kind]int{}
	for _, o := range objs {
		total[o.Kind]++
	}
	for _, o := range objs {
		seen[o.Kind]++
		limit, some := many(o.Kind)
		if total[o.Kind] <= limit || seen[o.Kind] <= some {
			shown = append(shown, o)
			continue
		}
		hidden = append(hidden, o)
		if seen[o.Kind] == some+1 {
			rest = append(rest, leftOut{o.Kind, total[o.Kind] - some})
		}
	}
	return shown, hidden, rest
}

// brief says only which resource limits limit something, and cuts the digests
// that directories of layers are named by: the blobs have them in full.
func brief(o inspect.Object) inspect.Object {
	if o.Kind == inspect.Dir {
		o.ID, o.Where = shortHex(o.ID), shortHex(o.Where)
	}
	if o.Kind != inspect.Rlimits || len(o.Was) > 0 {
		return o
	}
	var limits inspect.Detail
	for _, f := range o.Detail {
		if f.Value != "unlimited" {
			limits = append(limits, f)
		}
	}
	if n := len(o.Detail) - len(limits); n > 0 {
		limits = append(limits, inspect.Field{Key: fmt.Sprintf("%d others", n), Value: "unlimited"})
	}
	o.Detail = limits
	return o
}

// shortHex cuts every part of a path that is a long digest to twelve digits.
func shortHex(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if len(part) == 64 && strings.Trim(part, "0123456789abcdef") == "" {
			parts[i] = part[:12] + "..."
		}
	}
	return strings.Join(parts, "/")
}

// more says what few left out.
func (t *Text) more(mark string, rest []leftOut, whyMounts string) {
	for _, r := range rest {
		s := "and " + strings.Replace(count(r.n, r.kind), " ", " more ", 1)
		if r.kind == inspect.Mount && whyMounts != "" {
			s += " (" + whyMounts + ")"
		}
		s += "; --format json lists them all"
		t.marked(mark, wrap(s, t.cols-5))
	}
}

// marked writes lines behind a +, ~ or - in column 3.
func (t *Text) marked(mark string, ls []string) {
	for i, l := range ls {
		if i > 0 {
			mark = " "
		}
		t.line("   " + t.ink.mark(mark) + " " + l)
	}
}

// changed shows an object's fields as "old -> new", one a line.
func (t *Text) changed(o inspect.Object, w int) []string {
	name := nameOf(o)
	head := "~ " + name
	indent := width(head) + 2
	if len(o.Was) == 0 {
		return fill([]string{head, "changed"}, " ", w, 4)
	}
	keys := 0
	for _, f := range o.Was {
		keys = max(keys, width(f.Key))
	}
	keys = min(keys, 30, max(w/2, 10))
	var lines []string
	if indent+keys > w/2 { // a long id has a line to itself
		lines, indent = split(head, w), 4
		head = ""
	}
	for i, f := range o.Was {
		start := spaces(indent) + padTo(cut(f.Key, keys), keys) + "  "
		if i == 0 && head != "" {
			start = head + strings.TrimPrefix(start, spaces(width(head)))
		}
		is := o.Detail.Get(f.Key)
		values := oldNew(f.Value, is, w-width(start))
		if len(values) > 1 && i > 0 && f.Value == o.Was[i-1].Value && is == o.Detail.Get(o.Was[i-1].Key) {
			values = []string{"the same"} // as the field above: five capability sets often agree
		}
		lines = append(lines, hang(start, values)...)
	}
	if len(lines) > 0 {
		lines[0] = t.ink.mark("~") + strings.TrimPrefix(lines[0], "~")
	}
	return lines
}

// oldNew shows two values of a field in lines of at most w cells. Two lists
// too long for one line are shown by what the new one lost and gained: of 41
// capabilities the eye does not find the 27 that went.
func oldNew(was, is string, w int) []string {
	was, is = orNone(was), orNone(is)
	if one := was + " -> " + is; width(one) <= w {
		return []string{one}
	}
	lost, gained, kept := compareLists(was, is)
	if kept == 0 {
		return append(wrap(was, w), hang("-> ", wrap(is, w-3))...)
	}
	lines := []string{fmt.Sprintf("%d -> %d", kept+len(lost), kept+len(gained))}
	if len(lost) > 0 {
		lines = append(lines, hang("lost ", fill(lost, " ", w-5, 0))...)
	}
	if len(gained) > 0 {
		lines = append(lines, hang("gained ", fill(gained, " ", w-7, 0))...)
	}
	return lines
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

// compareLists compares values that are lists of words.
func compareLists(was, is string) (lost, gained []string, kept int) {
	words := func(s string) []string {
		return strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' })
	}
	before := map[string]bool{}
	for _, s := range words(was) {
		before[s] = true
	}
	after := map[string]bool{}
	for _, s := range words(is) {
		after[s] = true
		if before[s] {
			kept++
		} else {
			gained = append(gained, s)
		}
	}
	for _, s := range words(was) {
		if !after[s] {
			lost = append(lost, s)
		}
	}
	return lost, gained, kept
}

// removed is one line: what it was, and the facts that tell it from others.
func (t *Text) removed(o inspect.Object, w int) string {
	s := nameOf(o) + strings.TrimPrefix(o.Short(), o.ID)
	return t.ink.mark("-") + " " + cut(s, w-2)
}

// observed closes a step: whether the kernel changed what the Step says and
// nothing else. It takes the Event's word that two Snapshots were compared.
func (t *Text) observed(e Event) {
	for _, k := range e.Missing {
		t.complain("expected " + kindsOf([]inspect.Kind{k}) + " to change; observed: nothing")
	}
	for _, k := range e.Unexpected {
		t.complain("expected " + kindsOf([]inspect.Kind{k}) + " to stay as it was; observed: a change")
	}
	verdict := "nothing else changed"
	if len(e.Created)+len(e.Changed)+len(e.Removed) == 0 {
		verdict = "no kernel object changed"
		t.line("")
	}
	took := fmt.Sprintf("[observed, %s]", millis(e.Micros))
	gap := max(t.cols-3-width(verdict)-width(took), 2)
	if width(verdict)+gap+width(took) > t.cols-3 {
		t.line("   " + t.ink.faint(verdict))
		verdict = ""
	}
	t.line("   " + t.ink.faint(padTo(verdict, t.cols-3-width(took))+took))
}

// complain is a line that must not be overlooked.
func (t *Text) complain(s string) {
	for i, l := range wrap(s, t.cols-5) {
		mark := "! "
		if i > 0 {
			mark = "  "
		}
		t.line("   " + t.ink.bad(mark+l))
	}
}

// millis shows microseconds as milliseconds with two figures that matter.
func millis(us int64) string {
	switch {
	case us < 1000:
		return fmt.Sprintf("%d us", us)
	case us < 10_000:
		return fmt.Sprintf("%.1f ms", float64(us)/1000)
	}
	return fmt.Sprintf("%d ms", (us+500)/1000)
}
