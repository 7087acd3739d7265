// Command front is what bin/cutaway is. It starts in a third of the time that the
// program with all verbs takes, which it has inside: what people wait for most, a
// container of an image that is here already, it runs by itself; for everything
// else it becomes that other program.
//
// Its one invariant: it does nothing that the other program would do in another way,
// for both call package run. Read job.go, then whole.go.
package main

import (
	"errors"
	"os"
	"runtime"

	"cutaway/cmd/run"
	"cutaway/sandbox/sys"
)

func main() {
	// A container has one thing done after the other, and init does its part on
	// another processor; a second one here would only pass goroutines to and fro.
	runtime.GOMAXPROCS(1)
	sys.Unhurry()
	sys.GrowStack()
	if j := parse(os.Args[1:]); j != nil {
		if err := j.do(); !errors.Is(err, errNotHere) {
			leave(err)
		}
	}
	leave(becomeWhole())
}

// leave tells an error, if there is one, and ends.
func leave(err error) {
	if err != nil {
		run.Tell(os.Stderr, err)
	}
	os.Exit(run.Status(err))
}
