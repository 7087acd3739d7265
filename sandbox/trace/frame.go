package trace

import (
	"fmt"
	"strings"

	"cutaway/sandbox/inspect"
	"cutaway/sandbox/sys"
)

// item is an Event as the page sets it: what it has to say, in words, beside
// the facts it came with.
type item struct {
	Event
	Kind    string // the Event's Event
	Made    []shownCall
	Objects []objectList
	Verdict string // whether what was seen is what should be
	Bad     bool
	Ended   string   // how a command or the payload ended, if not well
	Wrong   []string // what changed unasked, or did not change
	Took    string
	Alike   []alike
	Differ  []inspect.Row
	Ways    [][2]string // where to go from here
}

// shownCall is a call, or how many like the one before are folded away, and
// those.
type shownCall struct {
	Text, Result string
	Failed       bool
	More         string
	Folded       []shownCall
}

// objectList is what a step did to objects, most of a kind that has very many
// kept apart.
type objectList struct {
	Mark        string
	Shown, Rest []shownObject
	RestWords   string
}

// brief leaves of each object the facts that tell it from others.
func (l *objectList) brief() {
	for _, objs := range [][]shownObject{l.Shown, l.Rest} {
		for i := range objs {
			objs[i].Where, objs[i].More = "", nil
		}
	}
}

// shownObject is a kernel object as the page sets it.
type shownObject struct {
	Name        string // its kind, where the id does not say that
	ID, Where   string
	Facts, More inspect.Detail // the facts that tell it from others; all, if that is not all
	Changes     []change
}

// change is one fact that is no longer what it was.
type change struct{ Key, Was, Is, Lost, Gained string }

// alike names what two sides share of a kind.
type alike struct{ Kind, Names string }

// itemOf makes of an Event what the page sets.
func itemOf(e Event) *item {
	it := &item{Event: e, Kind: e.Event}
	switch e.Event {
	case StepEvent, PlanEvent, EarlierEvent:
		it.Made = callsOf(callLines{calls: e.Calls, op: e.Op, results: e.Event != PlanEvent})
		it.Objects = objectLists(e)
		it.Took = millis(e.Micros)
		for _, k := range e.Missing {
			it.Wrong = append(it.Wrong, "expected "+kindsOf([]inspect.Kind{k})+" to change; observed: nothing")
		}
		for _, k := range e.Unexpected {
			it.Wrong = append(it.Wrong, "expected "+kindsOf([]inspect.Kind{k})+" to stay as it was; observed: a change")
		}
	case ProbeEvent:
		verdict, good := verdictOf(e)
		it.Verdict, it.Bad = verdict, !good
		it.Ended = endedBadly(e)
		it.Objects = objectLists(e)
	case ExitEvent:
		it.Ended = exitWords(e)
	case StageEvent:
		if e.Next != "" {
			it.Ways = append(it.Ways, [2]string{"next", "cutaway stage " + shortName(e.Next)})
		}
		for _, way := range [][2]string{{"read", e.Read}, {"code", e.Code}} {
			if way[1] != "" {
				it.Ways = append(it.Ways, way)
			}
		}
	}
	it.compare()
	return it
}

// endedBadly says how a command ended that did not end well.
func endedBadly(e Event) string {
	switch {
	case e.Signal != "":
		return "killed by " + e.Signal
	case e.Status != nil && *e.Status != 0:
		return fmt.Sprintf("exit status %d", *e.Status)
	}
	return ""
}

// compare puts apart what two sides share and what differs.
func (it *item) compare() {
	for _, of := range byKind(it.Rows) {
		var names []string
		for _, r := range of {
			if r.Same {
				names = append(names, alikeName(r))
			} else {
				it.Differ = append(it.Differ, r)
			}
		}
		if len(names) > 0 {
			it.Alike = append(it.Alike, alike{string(of[0].Kind), strings.Join(names, ", ")})
		}
	}
}

// callsOf sets the calls; a step without any has its operation's name.
func callsOf(c callLines) []shownCall {
	if len(c.calls) == 0 && c.op != "" {
		return []shownCall{{Text: c.op}}
	}
	var out []shownCall
	for _, f := range c.folded() {
		if n := len(f.more); n > 0 {
			more := shownCall{More: plural(n, "more such call", "more such calls")}
			for _, call := range f.more {
				more.Folded = append(more.Folded, c.shown(call))
			}
			out = append(out, more)
			continue
		}
		out = append(out, c.shown(f.Call))
	}
	return out
}

func (c callLines) shown(call sys.Call) shownCall {
	s := shownCall{Text: call.String(), Failed: call.Errno != ""}
	if c.results {
		s.Result = result(call)
	}
	return s
}

// objectLists sets what came, changed and went.
func objectLists(e Event) []objectList {
	var out []objectList
	for _, l := range []struct {
		mark string
		objs []inspect.Object
	}{{"+", e.Created}, {"~", e.Changed}, {"-", e.Removed}} {
		if len(l.objs) == 0 {
			continue
		}
		shown, hidden, rest := few(l.objs)
		list := objectList{Mark: l.mark, Shown: objectsOf(shown, l.mark), Rest: objectsOf(hidden, l.mark)}
		if e.Event == EarlierEvent { // told in full where they are shown
			list.brief()
		}
		var words []string
		for _, r := range rest {
			words = append(words, strings.Replace(count(r.n, r.kind), " ", " more ", 1))
		}
		list.RestWords = "and " + strings.Join(words, ", ")
		out = append(out, list)
	}
	return out
}

// manyFacts is how many facts of an object are shown before the rest folds.
const manyFacts = 7

func objectsOf(objs []inspect.Object, mark string) []shownObject {
	out := make([]shownObject, len(objs))
	for i, o := range objs {
		out[i] = objectOf(o, mark)
	}
	return out
}

// objectOf sets one object.
func objectOf(o inspect.Object, mark string) shownObject {
	v := shownObject{Name: string(o.Kind), ID: o.ID, Where: whereOf(o)}
	if nameOf(o) == o.ID {
		v.Name = ""
	}
	switch {
	case mark == "~":
		v.Changes = changesOf(o)
	case len(o.Detail) > manyFacts || mark == "-":
		v.Facts, v.More = o.Telling(), o.Detail
	default:
		v.Facts = o.Detail
	}
	return v
}

// changesOf lists the facts that changed. Of two long lists only what the new
// one lost and gained is told: of 41 capabilities the eye does not find the 27
// that went.
func changesOf(o inspect.Object) []change {
	var out []change
	for i, f := range o.Was {
		is := o.Detail.Get(f.Key)
		c := change{Key: f.Key, Was: orNone(f.Value), Is: orNone(is)}
		if i > 0 && f.Value == o.Was[i-1].Value && is == o.Detail.Get(o.Was[i-1].Key) {
			c = change{Key: f.Key, Is: "the same"} // five capability sets often agree
		} else if width(c.Was)+width(c.Is) > longValue {
			if lost, gained, kept := compareLists(f.Value, is); kept > 0 {
				c.Was, c.Is = fmt.Sprint(kept+len(lost)), fmt.Sprint(kept+len(gained))
				c.Lost, c.Gained = strings.Join(lost, " "), strings.Join(gained, " ")
			}
		}
		out = append(out, c)
	}
	return out
}
