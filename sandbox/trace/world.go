package trace

import (
	"slices"
	"strings"

	"cutaway/sandbox/inspect"
)

// world is what there is by now, as the Events so far have told it: objects in
// the order of inspect.Kinds, and within a kind in that of their appearance.
type world struct {
	things []*thing
}

// thing is an object, and what became of it last.
type thing struct {
	inspect.Object
	mark    string // "+" is new, "~" has changed, "-" is gone, "" is as it was
	touched bool   // it has changed since it appeared
}

// apply does to the world what an Event says was done.
func (w *world) apply(e Event) {
	for _, o := range e.Removed {
		if t := w.find(o.Kind, o.ID); t != nil {
			t.mark = "-"
		} else {
			w.add(&thing{Object: o, mark: "-"})
		}
	}
	for _, o := range e.Changed {
		if t := w.find(o.Kind, o.ID); t != nil {
			t.Object, t.mark, t.touched = o, "~", true
		} else {
			w.add(&thing{Object: o, mark: "~", touched: true})
		}
	}
	for _, o := range e.Created {
		w.add(&thing{Object: o, mark: "+"})
	}
}

// settle makes what is there an old thing, and forgets what is gone.
func (w *world) settle() {
	w.things = slices.DeleteFunc(w.things, func(t *thing) bool { return t.mark == "-" })
	for _, t := range w.things {
		t.mark = ""
		t.Was = nil
	}
}

// find gives the object as long as it lives: its number may be given out again.
func (w *world) find(kind inspect.Kind, id string) *thing {
	for _, t := range w.things {
		if t.Kind == kind && t.ID == id && t.mark != "-" {
			return t
		}
	}
	return nil
}

func (w *world) add(t *thing) {
	rank := slices.Index(inspect.Kinds, t.Kind)
	at := len(w.things)
	for at > 0 && slices.Index(inspect.Kinds, w.things[at-1].Kind) > rank {
		at--
	}
	w.things = slices.Insert(w.things, at, t)
}

// of lists the objects of some kinds.
func (w *world) of(kinds ...inspect.Kind) []*thing {
	var out []*thing
	for _, t := range w.things {
		if slices.Contains(kinds, t.Kind) {
			out = append(out, t)
		}
	}
	return out
}

// process is the container's: the newest.
func (w *world) process() *thing {
	var p *thing
	for _, t := range w.of(inspect.Process) {
		if p == nil || t.mark != "-" {
			p = t
		}
	}
	return p
}

// within names the namespace that an object is in, "" if it is in none or the
// kernel does not say.
func within(o inspect.Object) string {
	if ns := o.Detail.Get("in"); ns != "" {
		return ns
	}
	if at := strings.LastIndex(o.ID, "@"); at >= 0 && strings.Contains(o.ID[at:], ":[") {
		return o.ID[at+1:]
	}
	if o.Kind == inspect.IDMap {
		return o.ID
	}
	return ""
}

// local is an object's name inside its namespace: "eth0", not "eth0@net:[...]".
func local(o inspect.Object) string {
	return strings.TrimSuffix(o.ID, "@"+within(o))
}
