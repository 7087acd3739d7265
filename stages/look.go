package stages

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"cutaway/sandbox"
	"cutaway/sandbox/inspect"
	"cutaway/sandbox/plan"
	"cutaway/sandbox/trace"
	"cutaway/stages/buildup"
)

// Look observes a running container. Its payload is a shell that reads commands
// from a pipe, so what is run "inside" really is inside of everything. Each
// probe states what should be seen; an outcome that differs fails the stage.
type Look struct {
	Container *sandbox.Container
	Lab       *sandbox.Lab
	Materials Materials
	Failed    int // probes whose outcome was not as expected

	runner *Runner
	stage  string
	spec   plan.Spec
	first  *Look       // of whose observations this second container is a part; nil for the first
	over   func() bool // nobody wants to see more: all ends, and nothing is told
	conversation
}

// Inside runs a shell command in the container and checks what it gives.
func (l *Look) Inside(command, expect string, check func(Out) bool) Out {
	out, err := l.run(command)
	if err != nil {
		l.report(l.inside(), command, Out{Text: err.Error(), Status: -1}, expect, false)
		return out
	}
	l.report(l.inside(), command, out, expect, check(out))
	return out
}

// inside names this container to the reader.
func (l *Look) inside() string {
	if l.first != nil {
		return "inside 2"
	}
	return "inside"
}

// proc is the path of a file about the payload in the host's /proc.
func (l *Look) proc(file string) string { return fmt.Sprintf("/proc/%d/%s", l.Container.PID(), file) }

// Outside reads something on the host and checks it; what names the command
// that a person would use.
func (l *Look) Outside(what, expect string, read func() (string, error), check func(string) bool) string {
	text, err := read()
	if err != nil {
		l.report("outside", what, Out{Text: err.Error(), Status: 1}, expect, false)
		return ""
	}
	text = strings.TrimRight(text, "\n")
	l.report("outside", what, Out{Text: text}, expect, check(text))
	return text
}

// Note says a sentence to the reader, for example that the next call is meant
// to fail.
func (l *Look) Note(format string, args ...any) {
	l.wait("go on")
	l.emit(trace.Event{Event: trace.NoteEvent, Stage: l.stage, Text: fmt.Sprintf(format, args...)})
}

// Predict asks the reader for a guess; the probe that follows has the answer.
func (l *Look) Predict(format string, args ...any) {
	l.emit(trace.Event{Event: trace.PredictEvent, Stage: l.stage, Text: fmt.Sprintf(format, args...)})
	l.wait("see")
}

func (l *Look) wait(next string) {
	if l.runner.Wait != nil && !l.over() {
		l.runner.Wait(next)
	}
}

func (l *Look) emit(e trace.Event) {
	if !l.over() {
		l.runner.emit(e)
	}
}

// report tells of a probe; changed are objects that it has changed.
func (l *Look) report(where, command string, out Out, expect string, ok bool, changed ...inspect.Object) {
	if !ok {
		l.Failed++
		if l.first != nil {
			l.first.Failed++
		}
	}
	status := out.Status
	l.emit(trace.Event{Event: trace.ProbeEvent, Stage: l.stage, Where: where, PID: l.Container.PID(),
		Cmd: command, Output: out.Text, Expect: expect, OK: &ok, Status: &status, Changed: changed})
}

// Again is the Spec that this container was made of, to make another like it.
func (l *Look) Again() plan.Spec {
	s := l.spec
	s.Linux.Namespaces = slices.Clone(s.Linux.Namespaces) // Drop works in place
	return s
}

// Start makes another container and looks at it; end it by End. Its steps are
// not told, and what it shows is marked as from "inside 2".
func (l *Look) Start(ctx context.Context, spec plan.Spec) (*Look, error) {
	second, err := l.runner.look(ctx, l.stage, spec, sandbox.Options{Stage: l.stage}, l.Materials)
	if err == nil {
		second.first = l
	}
	return second, err
}

// End lets the shell inside finish, or ends what runs in place of one, and takes
// the container down.
func (l *Look) End() error {
	if l.spec.Process.Args[0] != buildup.Shell {
		l.Container.Kill()
	}
	l.in.Close()
	_, err := io.Copy(io.Discard, l.out)
	return errors.Join(err, l.Container.Remove())
}

// look starts a container whose payload is a shell on pipes.
func (r *Runner) look(ctx context.Context, stage string, spec plan.Spec, o sandbox.Options, m Materials) (*Look, error) {
	inRead, inWrite, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	outRead, outWrite, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	o.Stdio = [3]*os.File{inRead, outWrite, outWrite}
	c, err := r.Lab.Start(ctx, spec, o)
	inRead.Close()
	outWrite.Close()
	if err != nil {
		inWrite.Close()
		outRead.Close()
		return nil, err
	}
	context.AfterFunc(ctx, c.Kill) // what is under way inside ends, whatever it waits for
	return &Look{Container: c, Lab: r.Lab, Materials: m, runner: r, stage: stage, spec: spec, over: func() bool { return ctx.Err() != nil },
		conversation: conversation{in: inWrite, out: bufio.NewReader(outRead), kill: c.Kill}}, nil
}
