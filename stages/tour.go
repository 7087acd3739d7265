package stages

import (
	"context"
	"errors"
	"fmt"

	"cutaway/sandbox"
	"cutaway/sandbox/inspect"
	"cutaway/sandbox/trace"
)

// Tour plays stages one after the other. A stage that this machine cannot do,
// or that does not show what it should, does not stop it.
type Tour struct {
	Runner   *Runner
	From, To Stage
	// Between is asked after every stage but the last, before the named next one;
	// nil goes on. Its error ends the tour.
	Between func(ctx context.Context, next Stage) error
	// Seen is told of every stage that showed what it promises; it may be nil.
	Seen func(Stage) error
}

// TourError says which stages did not work.
type TourError struct{ Failed []error }

// Error names the first, and how many more there are.
func (e *TourError) Error() string {
	if len(e.Failed) == 1 {
		return e.Failed[0].Error()
	}
	return fmt.Sprintf("%s (and %d more stages)", e.Failed[0], len(e.Failed)-1)
}

// Unwrap gives the errors of all stages that failed.
func (e *TourError) Unwrap() []error { return e.Failed }

// Run plays the tour and sums it up: what was seen, and whether the host is as
// it was. The summary is there whatever the error, which is a *TourError for
// stages that failed, or what ended the tour early.
func (t *Tour) Run(ctx context.Context) (trace.Summary, error) {
	lab, tally := t.Runner.Lab, trace.NewTally()
	show := lab.Emit
	defer func() { lab.Emit = show }()
	lab.Emit = func(e trace.Event) {
		tally.Emit(e)
		if show != nil {
			show(e)
		}
	}
	before, err := inspect.Take(ctx, lab.Scope())
	if err != nil {
		return tally.Summary(), err
	}
	var parts []string
	t.Runner.Alive = func(c *sandbox.Container) {
		parts = madeOf(c.PID()) // the last one's stay
	}
	err = t.play(ctx)
	sum := tally.Summary()
	sum.Lines = parts
	// A tour that was cut short has to leave the host as it was just the same.
	after, lookErr := inspect.Take(context.WithoutCancel(ctx), lab.Scope())
	if lookErr == nil {
		lookErr = t.compareHost(&sum, before, after)
	}
	return sum, errors.Join(err, lookErr)
}

// LeftError says that the host is not what it was.
type LeftError struct{ Left []string }

// Error names the first of what differs.
func (e *LeftError) Error() string {
	return fmt.Sprintf("the host is not what it was: %d objects differ, the first is %s", len(e.Left), e.Left[0])
}

// Hint says what may undo it.
func (e *LeftError) Hint() string { return "cutaway clean undoes what a killed run has left" }

// play plays the stages and collects those that failed.
func (t *Tour) play(ctx context.Context) error {
	var failures []error
	for _, s := range All[t.From.Number() : t.To.Number()+1] {
		if t.Between != nil && s.Slug != t.From.Slug {
			if err := t.Between(ctx, s); err != nil {
				return err
			}
		}
		err := t.Runner.Run(ctx, s)
		var lacks *LacksError
		switch {
		case err == nil && t.Seen != nil:
			err = t.Seen(s)
		case errors.As(err, &lacks):
			err = nil // told already, and listed in the summary
		case errors.Is(err, sandbox.ErrQuit), ctx.Err() != nil:
			return err
		}
		if err != nil {
			failures = append(failures, err)
			t.Runner.emit(failure(s, err))
		}
	}
	if len(failures) > 0 {
		return &TourError{failures}
	}
	return nil
}

// failure is an error as an event.
func failure(s Stage, err error) trace.Event {
	e := trace.Event{Event: trace.ErrorEvent, Stage: s.Slug, Text: err.Error()}
	var advice interface {
		error
		Hint() string
	}
	if errors.As(err, &advice) {
		e.Hint = advice.Hint()
	}
	return e
}

// compareHost fills in whether the host is what it was. What other labs have on
// it meanwhile is theirs to undo.
func (t *Tour) compareHost(sum *trace.Summary, before, after *inspect.Snapshot) error {
	kinds := map[inspect.Kind]bool{}
	for _, o := range before.Objects {
		kinds[o.Kind] = true
	}
	diff, err := t.Runner.Lab.Settled(inspect.Compare(before, after))
	if err != nil {
		return err
	}
	sum.Compared, sum.HostClean = len(kinds), diff.Empty()
	for what, objects := range map[string][]inspect.Object{"new: ": diff.Created, "changed: ": diff.Changed, "gone: ": diff.Removed} {
		for _, o := range objects {
			sum.Left = append(sum.Left, what+o.Short())
		}
	}
	if len(sum.Left) > 0 {
		return &LeftError{sum.Left}
	}
	return nil
}
