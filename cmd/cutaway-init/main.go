// Command cutaway-init is the process that becomes a container's payload. It is
// embedded in cutaway; run by hand it does nothing. See package cutaway/sandbox/pid1.
package main

import (
	"fmt"
	"os"

	"cutaway/sandbox/pid1"
)

func main() {
	if err := pid1.Main(); err != nil {
		fmt.Fprintln(os.Stderr, "cutaway-init:", err)
		os.Exit(1)
	}
}
