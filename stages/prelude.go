package stages

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"cutaway/sandbox"
	"cutaway/sandbox/inspect"
	"cutaway/sandbox/sys"
	"cutaway/sandbox/trace"
)

// Prelude is what a stage does before its container comes to be: steps of the
// host that are no part of the container's Plan, asked for, watched and told
// like those that are.
type Prelude struct {
	runner *Runner
	stage  string
	plan   int // steps of the Plan that will be told afterwards
	own    int // steps of the prelude
	done   int // of these
}

// prelude is one step of a Prelude. Its work gives the calls it made.
type prelude struct {
	op, why, shell string
	calls          []sys.Call // what it is going to call, as far as that is known
	watch          string     // the directory that it changes
	kind           inspect.Kind
	work           func() ([]sys.Call, error)
	// describe orders the objects that appeared, and adds what they cannot say of
	// themselves; nil leaves them.
	describe func([]inspect.Object) []inspect.Object
}

// step does one step: asks, looks, works, looks again and tells. The directories
// that hold what is new are of no interest; anything else that changed is a
// surprise.
func (p *Prelude) step(ctx context.Context, s prelude) error {
	p.done++
	if err := p.ask(ctx, s); err != nil {
		return err
	}
	scope := p.runner.Lab.Scope()
	scope.StateDirs = append(scope.StateDirs, s.watch)
	before, err := inspect.Take(ctx, scope)
	if err != nil {
		return err
	}
	begin := time.Now()
	calls, err := s.work()
	took := time.Since(begin)
	if err != nil {
		return err
	}
	after, err := inspect.Take(ctx, scope)
	if err != nil {
		return err
	}
	e := trace.Event{Event: trace.StepEvent, Stage: p.stage, Step: p.done, Of: p.own + p.plan, Where: "host",
		Op: s.op, Why: s.why, Shell: s.shell, Calls: calls, Micros: took.Microseconds()}
	e.Created, e.Unexpected, e.Missing = s.judge(inspect.Compare(before, after))
	p.runner.emit(e)
	return nil
}

// judge picks out what the step is about, and says what should not be or is not.
func (s prelude) judge(d inspect.Diff) (created []inspect.Object, unexpected, missing []inspect.Kind) {
	for _, o := range d.Created {
		if o.Kind == s.kind && strings.HasPrefix(o.Where, s.watch) {
			created = append(created, o)
		}
	}
	if len(created) == 0 {
		missing = []inspect.Kind{s.kind}
	}
	if s.describe != nil {
		created = s.describe(created)
	}
	for _, kind := range d.Kinds() {
		if kind != s.kind && kind != inspect.Dir {
			unexpected = append(unexpected, kind)
		}
	}
	return created, unexpected, missing
}

// ask waits until the person wants the step, if somebody is asked at all. There
// is nothing to go back to, and no inside for a shell yet.
func (p *Prelude) ask(ctx context.Context, s prelude) error {
	if p.runner.Pause == nil {
		return nil
	}
	preview := trace.Preview{Stage: p.stage, Step: p.done, Of: p.own + p.plan, Where: "host", Why: s.why, Calls: s.calls, Shell: s.shell,
		Watch: []string{fmt.Sprintf("sudo find %s", s.watch)}}
	for {
		decision, err := p.runner.Pause(ctx, preview)
		switch {
		case err != nil:
			return err
		case decision == trace.Quit:
			return sandbox.ErrQuit
		case decision == trace.Go:
			return nil
		}
		p.runner.emit(trace.Event{Event: trace.NoteEvent, Stage: p.stage, Text: "there is no container yet: nothing to go back to, and no inside for a shell"})
	}
}

// ready gets together what stage s builds with, and has it do what comes before
// its container. release takes that back, once the container is gone.
func (r *Runner) ready(ctx context.Context, s Stage) (m Materials, release func() error, err error) {
	release = func() error { return nil }
	m, err = r.materials(ctx, s)
	if err != nil || s.Prepare == nil {
		return m, release, err
	}
	_, shown, err := r.preview(s, m)
	if err != nil {
		return m, release, err
	}
	p := &Prelude{runner: r, stage: s.Slug}
	for _, one := range shown {
		if one {
			p.plan++
		}
	}
	prepared, takeBack, err := s.Prepare(ctx, p, m)
	if err != nil {
		return m, release, errors.Join(err, takeBack())
	}
	prepared.Before = p.own
	return prepared, takeBack, nil
}
