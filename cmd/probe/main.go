// Command probe makes the system calls a shell cannot, so that a lesson can
// prove from inside a container what the container allows. It is put into the
// built-in image as /usr/bin/probe.
//
// It stands alone on purpose: only the standard syscall package and numbers
// from the manual, so each file can be read beside its man page without the
// rest of this project. Start with escape.go.
//
// Exit status: 0 the call or the escape succeeded, 1 it was refused (the reason
// is printed), 2 usage.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// command is one subcommand. run prints its findings on standard output.
type command struct {
	name, args, what string
	run              func(args []string) error
}

var commands = []command{
	{"escape", "[fd]", "leave a chroot the classic way: did it work?", escape},
	{"mount", "FLAGS [FROM] TO", "mount(2) with these flags alone: bind,rdonly", mount},
	{"setattr", "TARGET", "make a mount and all below it read-only at once", setattr},
	{"pidns", "", "unshare a PID namespace, and fork twice", pidns},
	{"sysv", "[TEXT]", "System V objects by one key: make them, or find them", sysv},
	{"mqueue", "[-rm] NAME", "make (or remove) a POSIX message queue", mqueue},
	{"call", "NAME [ARG...]", "make one privileged call, and undo it", call},
	{"calls", "NAME...", "make several such calls, and undo them", manyCalls},
	{"dns", "NAME ADDRESS", "be a name server that knows one name", dns},
	{"files", "N", "open N files and hold them: how many were allowed?", files},
	{"lost", "CAPABILITY...", "the same call with each capability and without it", lost},
	{"without", "CAP[,CAP] COMMAND", "run a command that lacks these capabilities", without},
	{"overwrite", "PID", "write to the program of a process, once it runs another", overwrite},
	{"fork", "N [SECONDS]", "fork N children and hold them: how many were allowed?", fork},
	{"eat", "SIZE [SECONDS]", "touch SIZE bytes of memory (128M), hold them", eat},
	{"spin", "SECONDS", "use so much processor time: how long did it take?", spin},
	{"share", "SECONDS [START]", "compute on one processor: how much of it was to be had?", share},
	{"write", "SIZE FILE", "write past the page cache: how long did it take?", write},
	{"work", "JOB...", "fixed jobs, in ns: integer hash getpid open switch", work},
	{"disk", "DIR", "fsync and read a file in DIR: how fast?", disk},
	{"listen", "PORT", "be the other end of ask, once", listen},
	{"ask", "ADDRESS:PORT", "a byte there and back, then many: how fast?", ask},
	{"clock", "", "clocks: those a time namespace offsets, and another", clock},
	{"owners", "", "which user namespace owns each namespace", owners},
	{"ids", "", "ids, capabilities, no_new_privs, seccomp mode", ids},
}

// errUsage means the arguments do not fit the subcommand.
var errUsage = errors.New("usage")

// errRefused ends a subcommand that has already printed what was refused.
var errRefused = errors.New("refused")

func main() {
	switch err := run(os.Args[1:]); {
	case err == nil:
	case errors.Is(err, errUsage):
		usage()
		os.Exit(2)
	case errors.Is(err, errRefused):
		os.Exit(1)
	default:
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

// run finds the subcommand and gives it the rest of the arguments.
func run(args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	for _, c := range commands {
		if c.name == args[0] {
			return c.run(args[1:])
		}
	}
	return errUsage
}

func usage() {
	var b strings.Builder
	b.WriteString("usage: probe COMMAND\n")
	for _, c := range commands {
		fmt.Fprintf(&b, "  %-21s  %s\n", strings.TrimSpace(c.name+" "+c.args), c.what)
	}
	b.WriteString(wrap("calls:", callNames()))
	fmt.Fprint(os.Stderr, b.String())
}
