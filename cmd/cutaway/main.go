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

	"cutaway/vm/guest"
)

// memoryLimit is the size of the heap, in bytes, that the first collection of
// garbage waits for. Most runs end before; at the usual 4 MiB it would fall
// into the few milliseconds in which a container starts.
const memoryLimit = 64 << 20

func main() {
	if guest.Here() { // PID 1 of a microVM
		guest.Main()
		return
	}
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(memoryLimit)
	ctx, patience, stop := untilSignal(context.Background())
	c := &cli{patience: patience}
	err := c.closePage(interrupted(ctx, c.command().ExecuteContext(ctx)))
	if err != nil {
		c.tell(os.Stderr, err)
	}
	stop()
	os.Exit(status(err))
}
