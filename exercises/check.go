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
		if c.Run == "" {
			continue
		}
		// What it did is to be seen: in the counters of a control group, say.
		if theirs, err = inspect.OfProcess(pid); err != nil {
			return findings, err
		}
	}
	return findings, nil
}

// check makes one check.
func (a *Attempt) check(ctx context.Context, c Check, pid int, theirs, host *inspect.Snapshot, answers map[string]string) (Finding, error) {
	f := Finding{Want: fill(c.Want, a.Params), Look: c.Look}
	hosts := ""
	if c.Run != "" {
		out, err := a.inside(ctx, pid, enter(theirs, host, pid), fill(c.Run, a.Params), answers)
		if err != nil {
			return f, err
		}
		f.Observed = out
	} else {
		name := fill(c.Fact, a.Params)
		f.Observed, hosts = fact(theirs, name), fact(host, name)
	}
	if c.Answer != "" {
		f.Expected = strings.TrimSuffix(f.Observed, "\nexit status 0")
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
		value, hostValue := fact(theirs, name), fact(host, name)
		if name == "observed" {
			value, hostValue = f.Observed, hosts
		}
		if fits, _ := cause.Must.holds(value, hostValue, a.Params); cause.If == "" || fits {
			f.Cause = fill(cause.Says, a.Params)
			break
		}
	}
	if f.Observed == "" {
		f.Observed = "nothing"
	}
	return f, nil
}

// entries are nsenter's flags. Its oldest versions do not know the last two, but
// then nothing here can make such a namespace either.
var entries = []struct{ fact, flag string }{{"process.user", "-U"}, {"process.mnt", "-m"}, {"process.uts", "-u"},
	{"process.ipc", "-i"}, {"process.net", "-n"}, {"process.pid", "-p"}, {"process.cgroupns", "-C"}, {"process.time", "-T"}}

// join goes into control groups, up to a --, and then becomes a command.
const join = `while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit 125; shift; done; shift; exec "$@"`

// enter is the command line that gets to where a process is: into its control
// groups, then its namespaces, root and working directory, as far as they are
// not ours: nobody may enter the user namespace in which he is.
func enter(theirs, host *inspect.Snapshot, pid int) []string {
	line := []string{"/bin/sh", "-c", join, "sh"}
	for _, g := range theirs.Of(inspect.Cgroup) {
		if dir, _, _ := strings.Cut(g.Where, "/{"); host.Find(inspect.Cgroup, g.ID) == nil {
			line = append(line, dir)
		}
	}
	line = append(line, "--", "nsenter", "-t", strconv.Itoa(pid), "-r", "-w")
	for _, e := range entries {
		if fact(theirs, e.fact) != fact(host, e.fact) {
			line = append(line, e.flag)
		}
	}
	return line
}

// inside runs a shell command where enter leads to, and gives what it prints and
// its exit status: nsenter(1). The learner's answers are in its environment, as
// ANSWER_NAME.
func (a *Attempt) inside(ctx context.Context, pid int, enter []string, command string, answers map[string]string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c := exec.CommandContext(ctx, enter[0], append(enter[1:], "/bin/sh", "-c", command)...)
	c.Env = append(os.Environ(), markVariable+"="+a.Nonce)
	for name, value := range answers {
		c.Env = append(c.Env, "ANSWER_"+name+"="+value)
	}
	var out bytes.Buffer
	c.Stdout, c.Stderr, c.WaitDelay = &out, &out, time.Second
	err := c.Run()
	var status *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return fmt.Sprintf("it did not end within %s", patience), nil
	case err == nil, errors.As(err, &status), errors.Is(err, exec.ErrWaitDelay):
		return strings.TrimRight(out.String(), "\n") + fmt.Sprintf("\nexit status %d", c.ProcessState.ExitCode()), nil
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
