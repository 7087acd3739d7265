package event

import "cutaway/sandbox/sys"

// Preview is a Step that has not been done yet.
type Preview struct {
	Stage    string
	Step, Of int
	Where    string // "host" or "init"
	PID      int    // of init, in the host's PID namespace; 0 before it exists
	Why      string
	Calls    []sys.Call // as a dry run recorded them; their results mean nothing
	Shell    string
	Watch    []string // commands for another terminal
}

// Decision is what the person at the terminal wants next.
type Decision int

// The answers to a Preview. Help is answered by trace.Prompter.Ask itself, which
// never returns it.
const (
	Quit  Decision = iota // stop here and tear down; also the end of the input
	Go                    // do the step
	Back                  // tear down and replay to the step before
	Shell                 // a shell inside, then ask again
	Help                  // say what the keys do
)
