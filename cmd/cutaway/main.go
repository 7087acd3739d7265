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
	run.NoGarbage()
	ctx, patience := run.UntilSignal(context.Background())
	patience.Caught()
	c := &cli{patience: patience}
	err := c.closePage(run.Interrupted(ctx, c.command().ExecuteContext(ctx)))
	if err != nil {
		c.tell(os.Stderr, err)
	}
	os.Exit(status(err))
}
