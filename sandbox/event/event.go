// Package event holds what the lab tells of itself: an Event for each thing that
// has happened, a Preview for a step that is about to be done.
//
// Its one invariant: it is data and imports no renderer, so that a program which
// starts a container and shows nothing does not start up with one. Package trace
// renders it. Read event.go, then preview.go.
package event

import (
	"cutaway/sandbox/inspect"
	"cutaway/sandbox/sys"
)

// Schema is the version of the JSON form. It changes only when a field changes
// its meaning or goes away.
const Schema = 1

// Names of the events, the value of Event.Event.
const (
	StageEvent   = "stage"   // a stage begins (or, with Done, has ended)
	PlanEvent    = "plan"    // one Step, not done: what it would call
	StepEvent    = "step"    // one Step was done
	EarlierEvent = "earlier" // Steps that an earlier stage shows were done
	NoteEvent    = "note"    // a sentence for the reader
	PredictEvent = "predict" // a question to answer before looking
	ProbeEvent   = "probe"   // a command run to observe, with its checked outcome
	ExitEvent    = "exit"    // the payload has ended
	ErrorEvent   = "error"   // something failed
)

// Event is what happened, as data. Fields that do not belong to the kind of
// event at hand are left out of the JSON.
type Event struct {
	Schema int    `json:"schema"`
	Event  string `json:"event"`
	Stage  string `json:"stage,omitempty"` // slug: "03-uts"

	// step; on a stage event the stage's number and that of the last stage
	Step  int    `json:"step,omitempty"`  // counted from 1 among the steps shown
	Of    int    `json:"of,omitempty"`    // how many are shown; of an earlier event: how many it stands for
	Where string `json:"where,omitempty"` // "host" or "init"; for a probe "inside" or "outside"
	PID   int    `json:"pid,omitempty"`   // of init, in the host's PID namespace
	Op    string `json:"op,omitempty"`    // "sethostname"
	Why   string `json:"why,omitempty"`   // completes "now: ..."
	Shell string `json:"shell,omitempty"` // the same by hand
	New   bool   `json:"new,omitempty"`   // of a planned step: the stage before does not have it

	// A step, and an earlier event, has all four lists, if only an empty one; a
	// probe has Changed where what it ran is known for what it changes.
	Calls   []sys.Call       `json:"calls,omitzero"`
	Created []inspect.Object `json:"created,omitzero"`
	Changed []inspect.Object `json:"changed,omitzero"`
	Removed []inspect.Object `json:"removed,omitzero"`
	// Unexpected lists kinds that changed although the Step does not name them,
	// Missing those it names that did not change. Both are empty when the
	// kernel did what the Step says.
	Unexpected []inspect.Kind `json:"unexpected,omitempty"`
	Missing    []inspect.Kind `json:"missing,omitempty"`
	Micros     int64          `json:"micros,omitempty"` // microseconds the calls took

	// stage
	Title  string   `json:"title,omitempty"`
	Belief string   `json:"belief,omitempty"` // the wrong belief the stage refutes
	SoFar  []string `json:"so_far,omitempty"` // short names of the stages built up to here
	Lesson string   `json:"lesson,omitempty"` // what to take away; on the closing stage event
	Code   string   `json:"code,omitempty"`   // file to read
	Read   string   `json:"read,omitempty"`   // what else to read: "cutaway lesson uts", "uts_namespaces(7)"
	Next   string   `json:"next,omitempty"`   // slug of the next stage
	Done   bool     `json:"done,omitempty"`
	// Lacks is the reason this machine cannot do the stage (and which kernel can).
	Lacks string `json:"lacks,omitempty"`

	// note, predict, error
	Text string `json:"text,omitempty"`
	Hint string `json:"hint,omitempty"`
	// Rows are two processes side by side, Sides what the two are called; on a note.
	Rows  []inspect.Row `json:"rows,omitempty"`
	Sides []string      `json:"sides,omitempty"`

	// probe
	Cmd    string `json:"cmd,omitempty"`    // what was run or read
	Output string `json:"output,omitempty"` // what it printed
	Expect string `json:"expect,omitempty"` // what should be seen, in words
	OK     *bool  `json:"ok,omitempty"`     // whether it was
	Status *int   `json:"status,omitempty"` // exit status, of a probe's command or of the payload
	Signal string `json:"signal,omitempty"` // signal that ended the payload
}
