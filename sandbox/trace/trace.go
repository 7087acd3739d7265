// Package trace holds the renderers of Events, which are the only thing they
// ever see of a running lab: text.go for people, json.go for programs, html.go
// for a browser.
//
// Its one invariant: an Event carries facts (calls made, objects read back), so
// that every renderer tells the same story. Read event/event.go, then text.go.
package trace

import "cutaway/sandbox/event"

// What is rendered, under the names that those who render know it by.
type (
	Event    = event.Event
	Preview  = event.Preview
	Decision = event.Decision
)

// The version of the JSON form, the names of the events, and the answers to a
// Preview; package event says what each means.
const (
	Schema = event.Schema

	StageEvent   = event.StageEvent
	PlanEvent    = event.PlanEvent
	StepEvent    = event.StepEvent
	EarlierEvent = event.EarlierEvent
	NoteEvent    = event.NoteEvent
	PredictEvent = event.PredictEvent
	ProbeEvent   = event.ProbeEvent
	ExitEvent    = event.ExitEvent
	ErrorEvent   = event.ErrorEvent

	Quit  = event.Quit
	Go    = event.Go
	Back  = event.Back
	Shell = event.Shell
	Help  = event.Help
)
