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

// Check looks at the kernel, after running the learner's program if it takes one.
// The findings end with the first that is not OK: what comes after builds on it.
func (a *Attempt) Check(ctx context.Context) ([]Finding, error) {
	if a.Exercise.Kind == "write" {
		if f, err := a.run(ctx); f != nil || err != nil {
			return f, err
		}
	}
	command := fill(a.Exercise.Process, a.Params)
	v := view{mark: a.Nonce, params: a.Params}
	var err error
	if v.pid, err = findProcess(command); err != nil {
		return nil, err
	}
	if v.pid == 0 {
		return []Finding{{Want: "the process to look at is running", Expected: command, Observed: "no process with that command line",
			Cause: a.absent(), Look: "ps -ef"}}, nil
	}
	if v.theirs, err = inspect.OfProcess(v.pid); err != nil {
		return nil, err
	}
	if v.machine, err = inspect.OfProcess(os.Getpid()); err != nil {
		return nil, err
	}
	if v.answers, err = a.answers(); err != nil {
		return nil, err
	}
	var findings []Finding
	for i, c := range a.Exercise.Checks {
		// What a command did is to be seen: in the counters of a control group, say.
		if i > 0 && a.Exercise.Checks[i-1].Run != "" {
			if v.theirs, err = inspect.OfProcess(v.pid); err != nil {
				return findings, err
			}
		}
		f, err := v.check(ctx, c)
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

// absent is the likely cause of there being no process to look at.
func (a *Attempt) absent() string {
	if a.Exercise.given() {
		return "it was there and has ended: cutaway exercise reset brings another one"
	}
	return "it was not started yet, or has ended; it must still run while it is checked"
}

// check makes one check.
func (v view) check(ctx context.Context, c Check) (Finding, error) {
	f := Finding{Want: v.fill(c.Want), Look: c.Look}
	v.limited = c.Limited
	var err error
	if f.Observed, err = v.read(ctx, c.Fact, c.Run); err != nil {
		return f, err
	}
	host := ""
	if c.Fact != "" {
		host = v.value("machine " + v.fill(c.Fact))
	}
	if c.Answer != "" {
		f.Expected = strings.TrimSuffix(f.Observed, "\nexit status 0")
		f.Observed = v.answers[c.Answer]
		f.OK = f.Observed == f.Expected
		if !f.OK { // the kernel's word is not to be given away
			f.Expected = "what the kernel says, on a line \"" + c.Answer + ": ...\" of answers.txt"
		}
	} else {
		f.OK, f.Expected = v.holds(c.Must, f.Observed, host)
	}
	if f.OK {
		return f, nil
	}
	if f.Cause, err = v.cause(ctx, c.Causes, f.Observed, host); err != nil {
		return f, err
	}
	if f.Observed == "" {
		f.Observed = "nothing"
	}
	return f, nil
}

// read gives a fact, or what a command prints inside.
func (v view) read(ctx context.Context, fact, run string) (string, error) {
	if run != "" {
		return v.inside(ctx, v.fill(run))
	}
	return v.value(v.fill(fact)), nil
}

// cause finds the first that fits what is so, or what was observed.
func (v view) cause(ctx context.Context, causes []Cause, observed, host string) (string, error) {
	for _, c := range causes {
		if c.If == "" && c.Run == "" {
			return v.fill(c.Says), nil
		}
		value, hosts := observed, host
		if c.If != "observed" {
			var err error
			if value, err = v.read(ctx, c.If, c.Run); err != nil {
				return "", err
			}
			hosts = v.value("machine " + v.fill(c.If))
		}
		if fits, _ := v.holds(c.Must, value, hosts); fits {
			return v.fill(c.Says), nil
		}
	}
	return "", nil
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
func (v view) enter() []string {
	line := []string{"/bin/sh", "-c", join, "sh"}
	for _, g := range v.theirs.Of(inspect.Cgroup) {
		if dir, _, _ := strings.Cut(g.Where, "/{"); v.machine.Find(inspect.Cgroup, g.ID) == nil {
			line = append(line, dir)
		}
	}
	line = append(line, "--", "nsenter", "-t", strconv.Itoa(v.pid), "-r", "-w")
	for _, e := range entries {
		if v.value(e.fact) != v.value("machine "+e.fact) {
			line = append(line, e.flag)
		}
	}
	return line
}

// drop is the command line that takes away what the process may never get:
// setpriv(1).
func (v view) drop() []string {
	text := v.value("caps.bounding")
	sign, list := "+", []string{"-all"}
	if strings.HasPrefix(text, "all ") {
		sign, list = "-", nil
	}
	for word := range strings.FieldsSeq(text) {
		if name, ok := strings.CutPrefix(word, "CAP_"); ok {
			list = append(list, sign+strings.ToLower(name))
		}
	}
	line := []string{"setpriv", "--inh-caps=-all"}
	if len(list) > 0 {
		line = append(line, "--bounding-set="+strings.Join(list, ","))
	}
	if v.value("seccomp.no_new_privs") == "yes" {
		line = append(line, "--no-new-privs")
	}
	return line
}

// inside runs a shell command where enter leads to, and gives what it prints and
// its exit status: nsenter(1). The learner's answers are in its environment, as
// ANSWER_NAME.
func (v view) inside(ctx context.Context, command string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	line := v.enter()
	if v.limited {
		line = append(line, v.drop()...)
	}
	line = append(line, "/bin/sh", "-c", command)
	c := exec.CommandContext(ctx, line[0], line[1:]...)
	c.Env = append(os.Environ(), markVariable+"="+v.mark)
	for name, value := range v.answers {
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
	return "", fmt.Errorf("run a command inside process %d: %w", v.pid, err)
}

// answers reads answers.txt of the attempt: "name: value" lines. Of white space in a
// value a blank is left, for the kernel itself writes tabs.
func (a *Attempt) answers() (map[string]string, error) {
	answers := map[string]string{}
	text, err := os.ReadFile(filepath.Join(a.Dir, "answers.txt"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read your answers: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok {
			answers[strings.TrimSpace(name)] = strings.Join(strings.Fields(value), " ")
		}
	}
	return answers, nil
}

// Passed reports whether all checks of an exercise came out well.
func (e Exercise) Passed(findings []Finding) bool {
	return len(findings) == len(e.Checks) && findings[len(findings)-1].OK
}
