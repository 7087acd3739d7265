package stages

import (
	"context"

	"cutaway/sandbox/op"
	"cutaway/sandbox/plan"
	"cutaway/sandbox/trace"
)

// Show tells the Plan of a stage without doing any of it. Steps that the stage
// adds are marked as new.
func (r *Runner) Show(ctx context.Context, s Stage) error {
	p, isNew, err := r.Preview(ctx, s)
	if err != nil {
		return err
	}
	r.open(s)
	if err := r.show(s.Slug, p, isNew); err != nil {
		return err
	}
	r.emit(trace.Event{Event: trace.NoteEvent, Stage: s.Slug, Text: "nothing of this was done; ID and PID stand for what a run fills in"})
	return nil
}

// ShowSpec tells the Plan of any container.
func (r *Runner) ShowSpec(spec plan.Spec) error {
	p, err := plan.Compile(r.Lab.Like(spec, nil), r.Lab.Features)
	if err != nil {
		return err
	}
	return r.show("", p, make([]bool, len(p)))
}

func (r *Runner) show(stage string, p plan.Plan, isNew []bool) error {
	calls, err := p.Calls(op.Target{Master: -1})
	if err != nil {
		return err
	}
	for i, step := range p {
		r.emit(trace.Event{Event: trace.PlanEvent, Stage: stage, Step: i + 1, Of: len(p), Where: string(step.Where), Op: step.Op.Name(),
			Why: step.Why, Shell: step.Op.Shell(), Calls: calls[i], New: isNew[i]})
	}
	return nil
}
