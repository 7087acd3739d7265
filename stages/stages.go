// Package stages is the build-up of a container, one file for each stage. A
// stage adds one thing to the Spec of the stage before it and then looks, from
// inside and from outside, at what that changed.
//
// Its one invariant: stage N is a container with N features, made by the same
// engine as the complete one; a stage holds no system call. Read this file,
// then 03_uts.go, the shortest; run.go plays a stage, look.go has its probes.
package stages

import (
	"context"
	"fmt"
	"strings"

	"cutaway/sandbox/features"
	"cutaway/sandbox/plan"
)

// Stage is one chapter.
type Stage struct {
	Slug   string // number and name, as in 03-uts; names its lesson and exercises too
	Title  string // what it adds, in a few words
	Belief string // the wrong belief its observations refute
	Lesson string // the one sentence to take away
	Code   string // the file to read next
	// Needs returns an error, best a *features.Error, where the machine cannot do
	// this stage.
	Needs func(features.Features) error
	// Add adds the stage's feature to the Spec of the stage before.
	Add func(*plan.Spec, Materials)
	// Prepare does what comes before the container, if anything does; what it
	// returns takes that back.
	Prepare func(context.Context, *Prelude, Materials) (Materials, func() error, error)
	// Look observes the running container.
	Look func(context.Context, *Look)
}

// All are the stages in order.
var All = []Stage{
	process, chroot, mount, uts, pid, ipc, network, user,
	cgroup, timens, limits, devices, privileges, overlay, imageStage, container,
}

// Number is the stage's place in the order, from 0.
func (s Stage) Number() int {
	for i := range All {
		if All[i].Slug == s.Slug {
			return i
		}
	}
	return -1
}

// Name is the slug without its number: "uts".
func (s Stage) Name() string {
	_, name, _ := strings.Cut(s.Slug, "-")
	return name
}

// Find gives a stage by its number (4 or 04), its name (pid) or its slug
// (04-pid).
func Find(word string) (Stage, error) {
	for i, s := range All {
		if word == s.Slug || word == s.Name() || word == fmt.Sprint(i) || word == fmt.Sprintf("%02d", i) {
			return s, nil
		}
	}
	return Stage{}, &UnknownError{Word: word}
}

// UnknownError is a stage that does not exist.
type UnknownError struct{ Word string }

// Error names the word.
func (e *UnknownError) Error() string { return fmt.Sprintf("find stage %q: there is none", e.Word) }

// Hint lists the stages.
func (e *UnknownError) Hint() string {
	names := make([]string, len(All))
	for i, s := range All {
		names[i] = s.Slug
	}
	return "the stages are " + strings.Join(names, " ")
}

// shell is the payload that a Look speaks to.
const shell = "/bin/sh"

// Spec is the container of stage s: what every stage up to it adds, but for
// those this machine cannot do, which are left out.
func Spec(s Stage, m Materials) plan.Spec {
	spec := plan.Spec{Process: plan.Process{
		Args: []string{shell},
		Env:  []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "TERM=linux"},
	}}
	for _, earlier := range All[:s.Number()+1] {
		if earlier.Lacks(m.Features) == nil {
			earlier.Add(&spec, m)
		}
	}
	return spec
}

// Lacks is why this machine cannot do the stage, nil if it can.
func (s Stage) Lacks(f features.Features) error {
	if s.Needs == nil {
		return nil
	}
	return s.Needs(f)
}
