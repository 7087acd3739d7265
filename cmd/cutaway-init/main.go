// Command cutaway-init is the process that becomes a container's payload. It is
// embedded in cutaway; run by hand it does nothing. See package cutaway/sandbox/pid1.
package main

import (
	"fmt"
	"os"

	"cutaway/sandbox/pid1"
)

// Init does all it does before main begins, where Go keeps it on the process's
// first thread: runtime.LockOSThread says so of init functions. Asked for in main,
// the same takes a thread more, to start others from, and execve has to end it.
func init() {
	if err := pid1.Main(); err != nil {
		fmt.Fprintln(os.Stderr, "cutaway-init:", err)
		os.Exit(1)
	}
}

// main is reached once the host is gone: there is nothing left to do.
func main() {}
