package trace

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"cutaway/sandbox/inspect"
)

// HTML collects Events and writes, when it is closed, one page that needs
// nothing else: the steps of each stage, beside each a picture of what the
// container is made of by then.
//
// The picture is drawn from the objects of the Events alone (world.go keeps
// them, picture.go draws them); frame.go makes of Events what page.go and the
// files in html/ set.
type HTML struct {
	w        io.Writer
	about    Conditions
	chapters []*chapter
	wrong    []*item         // errors of the whole run
	errors   map[string]bool // texts of errors that are on the page
	planned  bool            // nothing was done
}

// Conditions say where and when the Events of a page came about.
type Conditions struct {
	Kernel  string    // uname -srv
	Cgroups string    // "v2", "v1" or "hybrid"
	Machine string    // processors, architecture, model
	Program string    // cutaway and its version
	Date    time.Time // when the first Event happened
}

// NewHTML returns an HTML that writes to w.
func NewHTML(w io.Writer, about Conditions) *HTML {
	return &HTML{w: w, about: about, errors: map[string]bool{}}
}

// chapter is what one stage has on the page.
type chapter struct {
	Slug, Title, Belief string
	Number, Of          int
	SoFar               []string
	Frames              []*frame
	done                bool

	world   world   // what there is by now
	pending []*item // told, and waiting for what they belong to
}

// frame is what is looked at in one go, beside one picture.
type frame struct {
	ID, Name string // Name says in two or three words what it is
	Kind     string // "start", "step", "look" or "compare"
	Step, Of int
	Place    string // where a step is done
	Items    []*item
	Picture  *picture
	Says     string // what it brings, in a sentence to be read out
}

// Emit adds one Event to the page.
func (h *HTML) Emit(e Event) {
	e = cleaned(e)
	c := h.chapter(e)
	switch e.Event {
	case StageEvent:
		if e.Done || e.Lacks != "" {
			c.close(e)
		}
	case EarlierEvent:
		c.earlier(e)
	case StepEvent, PlanEvent:
		h.planned = h.planned || e.Event == PlanEvent
		c.step(e)
	case NoteEvent, PredictEvent:
		c.pending = append(c.pending, itemOf(e))
		if len(e.Rows) > 0 { // which want all the room there is
			c.frame("compare", "side by side")
		}
	case ErrorEvent:
		if h.errors[e.Text] { // told where it happened, and once more at the end
			return
		}
		h.errors[e.Text] = true
		if e.Stage == "" && c.done {
			h.wrong = append(h.wrong, itemOf(e))
			return
		}
		c.look(e)
	default: // a probe, an exit, or an Event newer than this
		c.look(e)
	}
}

// chapter gives the chapter that an Event belongs to, a new one where a stage
// begins.
func (h *HTML) chapter(e Event) *chapter {
	begins := e.Event == StageEvent && !e.Done
	if n := len(h.chapters); n > 0 && !begins {
		return h.chapters[n-1]
	}
	c := &chapter{Slug: e.Stage, Title: e.Title, Belief: e.Belief, SoFar: e.SoFar, Number: e.Step, Of: e.Of}
	h.chapters = append(h.chapters, c)
	if begins {
		c.frame("start", "what it is about")
	}
	return c
}

// frame begins a new frame; what belongs to none yet goes into it.
func (c *chapter) frame(kind, name string) *frame {
	id := c.Slug
	if id == "" {
		id = "run"
	}
	f := &frame{ID: fmt.Sprintf("%s-%d", id, len(c.Frames)), Kind: kind, Name: name, Items: c.pending}
	c.pending = nil
	c.Frames = append(c.Frames, f)
	return f
}

// last is the frame that was begun last, nil if there is none.
func (c *chapter) last() *frame {
	if n := len(c.Frames); n > 0 {
		return c.Frames[n-1]
	}
	return nil
}

// earlier draws what steps of earlier stages have made. Before the first step
// that is what the stage begins with.
func (c *chapter) earlier(e Event) {
	c.world.apply(e)
	if f := c.last(); f != nil && f.Kind == "start" {
		f.Items = append(f.Items, itemOf(e))
		c.world.settle()
		f.Picture = c.world.picture()
		return
	}
	c.pending = append(c.pending, itemOf(e))
}

// step adds a step that was done, or is planned, and draws what there is after
// it.
func (c *chapter) step(e Event) {
	f := c.frame("step", e.Op)
	f.Step, f.Of, f.Place = e.Step, e.Of, place(e.Where, e.PID)
	if e.New {
		f.Place += ", new in this stage"
	}
	f.Items = append(f.Items, itemOf(e))
	if e.Event == PlanEvent {
		return
	}
	c.world.settle()
	c.world.apply(e)
	f.Picture = c.world.picture()
	f.Says = says(e)
}

// look adds what was seen, beside what is there by now. Beside an error there is
// no picture: by then all was taken down.
func (c *chapter) look(e Event) {
	f := c.last()
	switch {
	case f != nil && f.Kind == "look":
	case e.Event == ErrorEvent:
		f = c.frame("look", "error")
	default:
		f = c.frame("look", "look")
		c.world.settle()
		f.Picture = c.world.picture()
	}
	c.put(f, e)
}

// close ends the chapter.
func (c *chapter) close(e Event) {
	c.done = true
	if f := c.last(); f != nil && f.Kind != "step" {
		c.put(f, e)
		return
	}
	c.look(e)
}

// put adds an Event to a frame, after what waits for it.
func (c *chapter) put(f *frame, e Event) {
	f.Items = append(append(f.Items, c.pending...), itemOf(e))
	c.pending = nil
}

// Bad tells whether the frame shows something that is not as it should be.
func (f *frame) Bad() bool {
	return slices.ContainsFunc(f.Items, func(it *item) bool {
		return it.Bad || len(it.Wrong) > 0 || it.Kind == ErrorEvent || it.Lacks != ""
	})
}

// Bad tells whether one of its frames does.
func (c *chapter) Bad() bool { return slices.ContainsFunc(c.Frames, (*frame).Bad) }

// Close writes the page; sum, if not nil, is its end. A page on which nothing
// happened is not written.
func (h *HTML) Close(sum *Summary) error {
	if len(h.chapters) == 0 {
		return nil
	}
	for _, c := range h.chapters {
		if f := c.last(); f != nil { // what came last and had nothing to go before
			f.Items = append(f.Items, c.pending...)
			c.pending = nil
		}
	}
	if err := h.write(sum); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	h.chapters = nil
	return nil
}

// says puts into a sentence what a step brought.
func says(e Event) string {
	var parts []string
	for _, list := range []struct {
		word string
		objs []inspect.Object
	}{{"new", e.Created}, {"changed", e.Changed}, {"gone", e.Removed}} {
		if len(list.objs) > 0 {
			parts = append(parts, list.word+": "+counted(list.objs))
		}
	}
	if len(parts) == 0 {
		return "no kernel object changed"
	}
	return strings.Join(parts, "; ")
}

// counted counts objects by kind: "1 mount namespace, 25 mounts".
func counted(objs []inspect.Object) string {
	n := map[inspect.Kind]int{}
	for _, o := range objs {
		n[o.Kind]++
	}
	var parts []string
	for _, o := range objs {
		if n[o.Kind] > 0 {
			parts = append(parts, count(n[o.Kind], o.Kind))
			n[o.Kind] = 0
		}
	}
	return strings.Join(parts, ", ")
}
