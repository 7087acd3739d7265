package stages

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"cutaway/sandbox"
	"cutaway/sandbox/inspect"
	"cutaway/sandbox/plan"
	"cutaway/sandbox/trace"
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
	first  *Look // of whose observations this second container is a part; nil for the first
	in     *os.File
	out    *bufio.Reader
}

// patience is how long one command may take.
const patience = 30 * time.Second

// Out is what a command printed, without the last newline, and its exit status.
type Out struct {
	Text   string
	Status int
}

// Has reports whether the text contains s.
func (o Out) Has(s string) bool { return strings.Contains(o.Text, s) }

// Line gives the words of the first line that begins with prefix, nil if none
// does.
func (o Out) Line(prefix string) []string {
	for l := range strings.Lines(o.Text) {
		if strings.HasPrefix(l, prefix) {
			return strings.Fields(l)
		}
	}
	return nil
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
	l.runner.emit(trace.Event{Event: trace.NoteEvent, Stage: l.stage, Text: fmt.Sprintf(format, args...)})
}

// Predict asks the reader for a guess; the probe that follows has the answer.
func (l *Look) Predict(format string, args ...any) {
	l.runner.emit(trace.Event{Event: trace.PredictEvent, Stage: l.stage, Text: fmt.Sprintf(format, args...)})
	l.wait("see")
}

func (l *Look) wait(next string) {
	if l.runner.Wait != nil {
		l.runner.Wait(next)
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
	l.runner.emit(trace.Event{Event: trace.ProbeEvent, Stage: l.stage, Where: where, PID: l.Container.PID(),
		Cmd: command, Output: out.Text, Expect: expect, OK: &ok, Status: &status, Changed: changed})
}

// run has the payload's shell run a command, and reads until the mark that
// follows it.
func (l *Look) run(command string) (Out, error) {
	mark := nonce()
	timer := time.AfterFunc(patience, l.Container.Kill)
	defer timer.Stop()
	// The command runs in a subshell: whatever it does to itself, the shell that
	// reads the next command lives on.
	_, err := fmt.Fprintf(l.in, "(%s\n) 2>&1\necho \"%s $?\"\n", command, mark)
	if err != nil {
		return Out{}, fmt.Errorf("give the command to the shell inside: %w", err)
	}
	var text strings.Builder
	for {
		line, err := l.out.ReadString('\n')
		before, status, marked := strings.Cut(line, mark+" ")
		if marked {
			text.WriteString(before)
			code, err := strconv.Atoi(strings.TrimSpace(status))
			return Out{Text: strings.TrimRight(text.String(), "\n"), Status: code}, err
		}
		text.WriteString(line)
		if err != nil {
			return Out{Text: text.String()}, fmt.Errorf("the shell inside has ended: %w", err)
		}
	}
}

// nonce is a mark that no command prints by chance.
func nonce() string {
	var b [8]byte
	rand.Read(b[:]) // never fails: crypto/rand
	return "=" + hex.EncodeToString(b[:])
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
	if l.spec.Process.Args[0] != shell {
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
	return &Look{Container: c, Lab: r.Lab, Materials: m, runner: r, stage: stage, spec: spec, in: inWrite, out: bufio.NewReader(outRead)}, nil
}

// lineText is Line with single spaces between the words.
func (o Out) lineText(prefix string) string { return strings.Join(o.Line(prefix), " ") }
