package trace

import (
	"encoding/json"
	"fmt"
	"io"

	"cutaway/sandbox/inspect"
	"cutaway/sandbox/sys"
)

// JSON writes Events as NDJSON (one JSON value a line, newline at the end) and
// nothing else, so that the stream can be piped into a program.
type JSON struct {
	enc *json.Encoder
	err error
}

// NewJSON returns a JSON sink that writes to w. Nothing is buffered: a reader
// sees each Event as it happens.
func NewJSON(w io.Writer) *JSON {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false) // "->" in a detail should read "->"
	return &JSON{enc: enc}
}

// Emit writes one line. After the first error nothing more is written: half a
// line followed by a whole one would be worse than a stream that stops.
func (j *JSON) Emit(e Event) {
	if j.err != nil {
		return
	}
	if err := j.enc.Encode(forPrograms(e)); err != nil {
		j.err = fmt.Errorf("write event %s as JSON: %w", e.Event, err)
	}
}

// Err returns the first error met while writing, or nil.
func (j *JSON) Err() error { return j.err }

// forPrograms fills in what a reader may rely on: the schema, and for a step
// its four lists, empty rather than absent, so that `.created[]` needs no guard.
func forPrograms(e Event) Event {
	e.Schema = Schema
	if e.Event != StepEvent && e.Event != EarlierEvent {
		return e
	}
	calls := make([]sys.Call, len(e.Calls))
	for i, c := range e.Calls {
		if c.Args == nil {
			c.Args = []string{} // getpid() has no arguments, not null arguments
		}
		calls[i] = c
	}
	e.Calls = calls
	for _, list := range []*[]inspect.Object{&e.Created, &e.Changed, &e.Removed} {
		if *list == nil {
			*list = []inspect.Object{}
		}
	}
	return e
}
