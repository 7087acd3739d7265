package stages

import (
	"context"
	"errors"
	"fmt"
	"os"

	"cutaway/sandbox"
	"cutaway/sandbox/image"
	"cutaway/sandbox/plan"
	"cutaway/sandbox/sys"
	"cutaway/sandbox/trace"
)

// Runner plays stages.
type Runner struct {
	Lab   *sandbox.Lab
	Store *image.Store
	// All shows every step of the container, not only those the stage adds.
	All bool
	// Pause is asked before each shown step; nil never stops.
	Pause func(context.Context, trace.Preview) (trace.Decision, error)
	// Wait is called between observations, with what comes next, so that a person
	// can read what is there or guess; nil never stops.
	Wait func(next string)
	// Alive is told of the container of a stage when all of it was seen, before it
	// is taken down; it may be nil.
	Alive func(*sandbox.Container)
	// Relay connects a shell inside to the person outside.
	Relay func(context.Context, *os.File) error
	// Program is cutaway's own file, to start it once more; empty is the one that
	// runs now.
	Program string
}

func (r *Runner) program() string {
	if r.Program != "" {
		return r.Program
	}
	if self, err := sys.Self(); err == nil {
		return self
	}
	return "/proc/self/exe"
}

// Command is what to run in place of the stage's probes.
type Command struct {
	Args     []string
	Stdio    [3]*os.File
	Terminal bool // Stdio is a person's terminal; the container gets one of its own
}

// FailedError says that the kernel did not show what the stage promises.
type FailedError struct {
	Stage  string
	Probes int
}

// Error names the stage.
func (e *FailedError) Error() string {
	return fmt.Sprintf("stage %s: %d probes did not show what was expected", e.Stage, e.Probes)
}

// LacksError says that this machine cannot do a stage.
type LacksError struct {
	Stage string
	Err   error
}

// Error names the stage and the reason.
func (e *LacksError) Error() string { return "stage " + e.Stage + ": " + e.Err.Error() }

// Unwrap gives the reason.
func (e *LacksError) Unwrap() error { return e.Err }

func (r *Runner) emit(e trace.Event) {
	if r.Lab.Emit != nil {
		e.Schema = trace.Schema
		r.Lab.Emit(e)
	}
}

// Run plays a stage: makes its container step by step and looks at it. The
// error is a *LacksError, a *FailedError, sandbox.ErrQuit, or what went wrong.
func (r *Runner) Run(ctx context.Context, s Stage) (err error) {
	r.open(s)
	if err := s.Lacks(r.Lab.Features); err != nil {
		r.emit(trace.Event{Event: trace.StageEvent, Stage: s.Slug, Title: s.Title, Done: true, Lacks: err.Error(), Next: next(s)})
		return &LacksError{s.Slug, err}
	}
	m, release, err := r.ready(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	l, err := r.build(s, func(o sandbox.Options) (*Look, error) { return r.look(ctx, s.Slug, Spec(s, m), o, m) }, m)
	if err != nil {
		return err
	}
	l.wait("look at it")
	s.Look(ctx, l)
	if r.Alive != nil && ctx.Err() == nil {
		r.Alive(l.Container)
	}
	if err := errors.Join(ctx.Err(), l.End()); err != nil {
		return err
	}
	r.emit(trace.Event{Event: trace.StageEvent, Stage: s.Slug, Title: s.Title, Done: true, Lesson: s.Lesson, Code: s.Code, Next: next(s)})
	if l.Failed > 0 {
		return &FailedError{s.Slug, l.Failed}
	}
	return nil
}

// open tells what is about to begin.
func (r *Runner) open(s Stage) {
	var soFar []string
	for _, earlier := range All[:s.Number()+1] {
		soFar = append(soFar, earlier.Name())
	}
	r.emit(trace.Event{Event: trace.StageEvent, Stage: s.Slug, Title: s.Title, Belief: s.Belief, SoFar: soFar,
		Step: s.Number(), Of: len(All) - 1})
}

// build starts the container of a stage.
func (r *Runner) build(s Stage, start func(sandbox.Options) (*Look, error), m Materials) (l *Look, err error) {
	o := r.options(s, m)
	o.Pause = r.Pause
	err = r.Stepping(o, func(o sandbox.Options) (err error) {
		l, err = start(o)
		return err
	})
	return l, err
}

// Stepping has a container started by o; going back is a new start that passes one
// pause less.
func (r *Runner) Stepping(o sandbox.Options, start func(sandbox.Options) error) error {
	paused := 0
	if pause := o.Pause; pause != nil {
		o.Pause = func(ctx context.Context, p trace.Preview) (trace.Decision, error) {
			paused = p.Step - o.Before
			return pause(ctx, p)
		}
	}
	for {
		err := start(o)
		if !errors.Is(err, sandbox.ErrBack) {
			return err
		}
		o.Skip = max(0, paused-2)
		r.emit(trace.Event{Event: trace.NoteEvent, Stage: o.Stage, Text: "torn down; building up again to the step before"})
	}
}

// options are how a stage's container is made: watched, and showing the steps
// that the stage before did not have.
func (r *Runner) options(s Stage, m Materials) sandbox.Options {
	o := sandbox.Options{Name: s.Slug, Stage: s.Slug, Watch: true, Relay: r.Relay, Before: m.Before}
	if s.Number() == 0 || r.All {
		return o
	}
	o.Shown = func(spec plan.Spec, p plan.Plan) []bool { return r.added(s, m, &spec, p) }
	return o
}

// added marks the steps of p, the Plan of spec, that stage s brings.
func (r *Runner) added(s Stage, m Materials, spec *plan.Spec, p plan.Plan) []bool {
	before := Spec(All[s.Number()-1], m)
	before.Process.Args = spec.Process.Args
	earlier, err := plan.Compile(r.Lab.Like(before, spec), r.Lab.Features)
	if err != nil { // then nothing of it is known, and all is new
		earlier = nil
	}
	return p.Beyond(earlier)
}

// Preview gives the Plan of a stage without doing any of it, and which of its
// steps the stage adds.
func (r *Runner) Preview(ctx context.Context, s Stage) (plan.Plan, []bool, error) {
	m, err := r.materials(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	return r.preview(s, m)
}

func (r *Runner) preview(s Stage, m Materials) (plan.Plan, []bool, error) {
	spec := r.Lab.Like(Spec(s, m), nil)
	p, err := plan.Compile(spec, r.Lab.Features)
	if err != nil {
		return nil, nil, err
	}
	if s.Number() == 0 || r.All {
		return p, p.Beyond(nil), nil
	}
	return p, r.added(s, m, &spec, p), nil
}

// Exec runs a command in the container of a stage and returns its exit status.
func (r *Runner) Exec(ctx context.Context, s Stage, c Command) (int, error) {
	return r.exec(ctx, s, c, func(trace.Event) {})
}

// exec is Exec; ended is told of the end before anybody else is.
func (r *Runner) exec(ctx context.Context, s Stage, c Command, ended func(trace.Event)) (status int, err error) {
	r.open(s)
	if err := s.Lacks(r.Lab.Features); err != nil {
		return 0, &LacksError{s.Slug, err}
	}
	m, release, err := r.ready(ctx, s)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, release()) }()
	spec := Spec(s, m)
	spec.Process.Args = c.Args
	_, err = r.build(s, func(o sandbox.Options) (*Look, error) {
		o.Stdio = c.Stdio
		exit, err := sandbox.Run(ctx, r.Lab, spec, o, c.Terminal)
		status = exit.Status()
		if err == nil {
			err = ctx.Err() // the payload ended because we were told to
		}
		if err == nil {
			end := trace.Event{Event: trace.ExitEvent, Stage: s.Slug, Status: &status, Signal: exit.SignalName()}
			ended(end)
			r.emit(end)
		}
		return nil, err
	}, m)
	return status, err
}

// next is the slug of the stage after s, "" after the last.
func next(s Stage) string {
	if n := s.Number() + 1; n < len(All) {
		return All[n].Slug
	}
	return ""
}

func (r *Runner) materials(ctx context.Context, s Stage) (Materials, error) {
	return prepare(ctx, r.Lab, r.Store, s)
}
