package exercises

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"cutaway/sandbox/inspect"
)

// Finding is what a check came to.
type Finding struct {
	Want     string
	OK       bool
	Expected string
	Observed string
	Cause    string // the likely one, of a check that failed
	Look     string // where to read on
}

// patience is how long a command inside may take.
const patience = 10 * time.Second

// Check looks at the kernel. The findings end with the first that is not OK:
// what comes after builds on it.
func (a *Attempt) Check(ctx context.Context) ([]Finding, error) {
	command := fill(a.Exercise.Process, a.Params)
	pid, err := findProcess(command)
	if err != nil {
		return nil, err
	}
	if pid == 0 {
		return []Finding{{Want: "the process to look at is running", Expected: command, Observed: "no process with that command line",
			Cause: "it was not started yet, or has ended; it must still run while it is checked", Look: "ps -ef"}}, nil
	}
	theirs, err := inspect.OfProcess(pid)
	if err != nil {
		return nil, err
	}
	host, err := inspect.OfProcess(os.Getpid())
	if err != nil {
		return nil, err
	}
	answers, err := a.answers()
	if err != nil {
		return nil, err
	}
	var findings []Finding
	for _, c := range a.Exercise.Checks {
		f, err := a.check(ctx, c, pid, theirs, host, answers)
		if err != nil {
			return findings, err
		}
		findings = append(findings, f)
		if !f.OK {
			break
		}
	}
	return findings, nil
}

// check makes one check.
func (a *Attempt) check(ctx context.Context, c Check, pid int, theirs, host *inspect.Snapshot, answers map[string]string) (Finding, error) {
	f := Finding{Want: fill(c.Want, a.Params), Look: c.Look}
	hosts := ""
	if c.Run != "" {
		out, err := inside(ctx, pid, foreign(theirs, host), fill(c.Run, a.Params))
		if err != nil {
			return f, err
		}
		f.Observed = out
	} else {
		name := fill(c.Fact, a.Params)
		f.Observed, hosts = fact(theirs, name), fact(host, name)
	}
	if c.Answer != "" {
		f.Expected = f.Observed
		f.Observed = answers[c.Answer]
		f.OK = f.Observed == f.Expected
		if !f.OK { // the kernel's word is not to be given away
			f.Expected = "what the kernel says, on a line \"" + c.Answer + ": ...\" of answers.txt"
		}
	} else {
		f.OK, f.Expected = c.Must.holds(f.Observed, hosts, a.Params)
	}
	if f.OK {
		return f, nil
	}
	for _, cause := range c.Causes {
		name := fill(cause.If, a.Params)
		if fits, _ := cause.Must.holds(fact(theirs, name), fact(host, name), a.Params); cause.If == "" || fits {
			f.Cause = fill(cause.Says, a.Params)
			break
		}
	}
	if f.Observed == "" {
		f.Observed = "nothing"
	}
	return f, nil
}

// entries are nsenter's flags for the namespaces that all versions of it know.
var entries = []struct{ fact, flag string }{{"process.user", "-U"}, {"process.mnt", "-m"}, {"process.uts", "-u"},
	{"process.ipc", "-i"}, {"process.net", "-n"}, {"process.pid", "-p"}}

// foreign gives the flags for those namespaces of the process that are not ours:
// nobody may enter the user namespace in which he is.
func foreign(theirs, host *inspect.Snapshot) []string {
	var flags []string
	for _, e := range entries {
		if fact(theirs, e.fact) != fact(host, e.fact) {
			flags = append(flags, e.flag)
		}
	}
	return flags
}

// inside runs a shell command in namespaces, root and working directory of a
// process, and gives what it prints and its exit status: nsenter(1).
func inside(ctx context.Context, pid int, namespaces []string, command string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	args := append([]string{"-t", strconv.Itoa(pid), "-r", "-w"}, namespaces...)
	enter := exec.CommandContext(ctx, "nsenter", append(args, "/bin/sh", "-c", command)...)
	var out bytes.Buffer
	enter.Stdout, enter.Stderr = &out, &out
	err := enter.Run()
	var status *exec.ExitError
	switch {
	case err == nil, errors.As(err, &status):
		return strings.TrimRight(out.String(), "\n") + fmt.Sprintf("\nexit status %d", enter.ProcessState.ExitCode()), nil
	case ctx.Err() != nil:
		return fmt.Sprintf("it did not end within %s", patience), nil
	}
	return "", fmt.Errorf("run a command inside process %d: %w", pid, err)
}

// answers reads answers.txt of the attempt: "name: value" lines.
func (a *Attempt) answers() (map[string]string, error) {
	answers := map[string]string{}
	text, err := os.ReadFile(filepath.Join(a.Dir, "answers.txt"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read your answers: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok {
			answers[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return answers, nil
}

// Passed reports whether all checks of an exercise came out well.
func (e Exercise) Passed(findings []Finding) bool {
	return len(findings) == len(e.Checks) && findings[len(findings)-1].OK
}
