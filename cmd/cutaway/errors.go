package main

import (
	"errors"
	"io"
	"os"

	"cutaway/cmd/run"
	"cutaway/exercises"
	"cutaway/sandbox"
	"cutaway/sandbox/image"
	"cutaway/sandbox/trace"
	"cutaway/stages"
	"cutaway/vm"
)

// cannotError is work that this machine cannot do, or must not be asked to.
type cannotError struct{ Fact, Advice string }

func (e *cannotError) Error() string { return e.Fact }

// Hint says what works instead.
func (e *cannotError) Hint() string { return e.Advice }

// status is the exit status for an error.
func status(err error) int {
	var (
		unknown   *stages.UnknownError
		reference *image.ReferenceError
		mustNot   *cannotError
		platform  *image.PlatformError
		lacks     *stages.LacksError
		noQEMU    *vm.NoQEMUError
		noKernel  *vm.NoKernelError
		noGo      *exercises.NoCompilerError
		noFlag    *exercises.NeedError
	)
	switch {
	case errors.As(err, &unknown), errors.As(err, &reference):
		return run.Usage
	case errors.As(err, &platform) && platform.Machine, errors.As(err, &mustNot), errors.As(err, &lacks),
		errors.As(err, &noQEMU), errors.As(err, &noKernel), errors.As(err, &noGo), errors.As(err, &noFlag):
		return run.Cannot
	}
	return run.Status(err)
}

// tell writes an error for whoever reads the output: people or a program.
func (c *cli) tell(w io.Writer, err error) {
	c.clear()
	var detached *sandbox.DetachError
	if c.json() && !run.Silent(err) && !errors.As(err, &detached) {
		trace.NewJSON(os.Stdout).Emit(errorEvent("", err))
	}
	run.Tell(w, err)
}

// errorEvent is an error as an event.
func errorEvent(stage string, err error) trace.Event {
	return trace.Event{Schema: trace.Schema, Event: trace.ErrorEvent, Stage: stage, Text: err.Error(), Hint: run.Hint(err)}
}
