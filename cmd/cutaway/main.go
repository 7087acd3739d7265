// Command cutaway takes a Linux container apart: it builds one stage by stage
// and shows, after each step, the kernel objects that the step made.
//
// Its one invariant: a file here parses the flags of one verb, calls one
// package and renders what comes back. Only main ends the process. Read
// cli.go for what the verbs share, then stage.go.
package main

import (
	"context"
	"os"
	"runtime/debug"

	"cutaway/cmd/run"
	"cutaway/sandbox/sys"
	"cutaway/vm/guest"
)

func main() {
	sys.Became("cutaway")
	if guest.Here() { // PID 1 of a microVM
		guest.Main()
		return
	}
	noGarbage()
	ctx, patience := run.UntilSignal(context.Background())
	c := &cli{patience: patience}
	err := c.closePage(run.Interrupted(ctx, c.command().ExecuteContext(ctx)))
	if err != nil {
		c.tell(os.Stderr, err)
	}
	os.Exit(status(err))
}

// memoryLimit is the size of the heap, in bytes, that the first collection of
// garbage waits for. Most runs end before; at the usual 4 MiB it would fall
// into the few milliseconds in which a container starts.
const memoryLimit = 64 << 20

// noGarbage puts the first collection of garbage off.
func noGarbage() {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(memoryLimit)
}
