// Package stages is the build-up of a container, one file for each stage. A
// stage adds one thing to the Spec of the stage before it and then looks, from
// inside and from outside, at what that changed.
//
// Its one invariant: stage N is a container with N features, made by the same
// engine as the complete one; a stage holds no system call. Read this file,
// then 03_uts.go, the shortest; run.go plays a stage, look.go has its probes. What
// the stages add to the Spec is in package buildup.
package stages

import (
	"context"
	"fmt"
	"strings"

	"cutaway/sandbox/plan"
	"cutaway/stages/buildup"
)

// Stage is one chapter.
type Stage struct {
	buildup.Part // what it adds to the Spec; the slug names its lesson and exercises too

	Title  string // what it adds, in a few words
	Belief string // the wrong belief its observations refute
	Lesson string // the one sentence to take away
	Code   string // the file to read next
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

// Spec is the container of stage s: what every stage up to it adds, but for
// those this machine cannot do, which are left out.
func Spec(s Stage, m Materials) plan.Spec { return s.Part.Spec(m.Materials) }
