package exercises

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"cutaway/sandbox/inspect"
)

// Tally counts what was proved of exercises.
type Tally struct {
	Exercises, Solutions, Wrong int
	// Settle is how long a script's processes may take to get where they are
	// going; 0 is five seconds.
	Settle time.Duration
}

func (t *Tally) settle() time.Duration { return cmp.Or(t.Settle, 5*time.Second) }

// Verify proves of an exercise that it fails unsolved, passes with its solution,
// fails with each of its wrong answers and that answer's own diagnosis, and
// leaves nothing behind.
func (t *Tally) Verify(ctx context.Context, e Exercise) error {
	before, err := inspect.Take(ctx, inspect.Scope{Host: true})
	if err != nil {
		return err
	}
	t.Exercises++
	if err := try(ctx, e, "", func(a *Attempt) error { return a.mustFail(ctx, "", t.settle()) }); err != nil {
		return fmt.Errorf("%s, unsolved: %w", e.Slug, err)
	}
	if err := try(ctx, e, e.solution(), func(a *Attempt) error { return a.mustPass(ctx, t.settle()) }); err != nil {
		return fmt.Errorf("%s, with its solution: %w", e.Slug, err)
	}
	t.Solutions++
	wrong, err := fs.Glob(e.dir, "wrong/*")
	if err != nil {
		return err
	}
	for _, name := range wrong {
		says, err := diagnosis(e.dir, name)
		if err == nil {
			err = try(ctx, e, name, func(a *Attempt) error { return a.mustFail(ctx, says, t.settle()) })
		}
		if err != nil {
			return fmt.Errorf("%s, with %s: %w", e.Slug, path.Base(name), err)
		}
		t.Wrong++
	}
	after, err := inspect.Take(ctx, inspect.Scope{Host: true})
	if err != nil {
		return err
	}
	diff := inspect.Compare(before, after)
	diff.Created = slices.DeleteFunc(diff.Created, isBook)
	if !diff.Empty() {
		return fmt.Errorf("%s: the host is not what it was: %v", e.Slug, diff)
	}
	return nil
}

// isBook reports whether an object is what the lab keeps once it has run: its
// empty books.
func isBook(o inspect.Object) bool { return o.ID == "/run/cutaway" || o.ID == "/run/cutaway/lock" }

// diagnosis is the first line of a wrong answer: what it must be told.
func diagnosis(dir fs.FS, name string) (string, error) {
	text, err := fs.ReadFile(dir, name)
	if err != nil {
		return "", err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	mark := "# says: "
	if path.Ext(name) == ".go" {
		mark = "// says: "
	}
	says, ok := strings.CutPrefix(first, mark)
	if !ok {
		return "", fmt.Errorf("its first line is no \"%sDIAGNOSIS\" line", mark)
	}
	return says, nil
}

// try begins an attempt in a directory of its own, gives an answer as the learner
// would, a script or a program, judges, and takes all of it away.
func try(ctx context.Context, e Exercise, answer string, judge func(*Attempt) error) (err error) {
	dir, err := os.MkdirTemp("", "cutaway-exercise-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	a, err := Start(ctx, e, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.End(ctx), a.left()) }()
	if path.Ext(answer) == ".go" {
		err = a.writeProgram(answer)
	} else if answer != "" {
		err = a.script(ctx, answer)
	}
	if err != nil {
		return err
	}
	return judge(a)
}

// left says which control groups with a number of the attempt in their name are
// still there: a Snapshot of the host has none but the lab's.
func (a *Attempt) left() error {
	for _, value := range a.Params {
		if _, err := strconv.Atoi(value); err != nil || len(value) < 5 {
			continue // too short to be anybody's mark
		}
		for _, pattern := range []string{"/sys/fs/cgroup/*", "/sys/fs/cgroup/*/*"} {
			if groups, err := filepath.Glob(pattern + value + "*"); err != nil || len(groups) > 0 {
				return errors.Join(err, fmt.Errorf("it leaves %s", strings.Join(groups, " ")))
			}
		}
	}
	return nil
}

// mustPass waits until all checks are well.
func (a *Attempt) mustPass(ctx context.Context, settle time.Duration) error {
	for deadline := time.Now().Add(settle); ; time.Sleep(20 * time.Millisecond) {
		findings, err := a.Check(ctx)
		if err != nil || a.Exercise.Passed(findings) {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("it does not pass: %+v", findings[len(findings)-1])
		}
	}
}

// unsolved is how long an exercise must stay unsolved if nothing is done.
const unsolved = 300 * time.Millisecond

// mustFail waits until a check fails with that cause; with "" any cause will do,
// but it must stay so.
func (a *Attempt) mustFail(ctx context.Context, says string, settle time.Duration) error {
	begin, pause := time.Now(), 20*time.Millisecond
	if says == "" {
		pause = unsolved
	}
	for deadline := begin.Add(settle); ; time.Sleep(pause) {
		findings, err := a.Check(ctx)
		if err != nil {
			return err
		}
		if a.Exercise.Passed(findings) {
			return errors.New("it passes")
		}
		last := findings[len(findings)-1]
		if strings.Contains(last.Cause, fill(says, a.Params)) && (says != "" || time.Since(begin) >= unsolved) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("it is not told %q: %+v", says, last)
		}
	}
}
