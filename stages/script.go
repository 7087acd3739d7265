package stages

import (
	"context"
	"fmt"

	"cutaway/sandbox"
	"cutaway/sandbox/plan"
	"cutaway/sandbox/script"
)

// scriptID is the id of the container that a script makes: cutaway clean finds
// what is left of one that was killed.
const scriptID = "byhand"

// Script gives the Plan of a stage as one script for sh(1).
func (r *Runner) Script(ctx context.Context, s Stage) (string, error) {
	m, err := r.materials(ctx, s)
	if err != nil {
		return "", err
	}
	example := r.Lab.Like(Spec(s, m), nil)
	example.ID = scriptID
	if example.Net.Resolv, err = sandbox.Resolv(); err != nil { // where the host has none, neither has the container
		return "", err
	}
	p, err := plan.Compile(r.Lab.Like(Spec(s, m), &example), r.Lab.Features)
	if err != nil {
		return "", err
	}
	return script.Sh(fmt.Sprintf("Stage %s by hand: %s.", s.Slug, s.Title), p), nil
}
