package sandbox

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"cutaway/sandbox/event"
	"cutaway/sandbox/inspect"
	"cutaway/sandbox/plan"
)

// watcher looks at the kernel before and after each shown step and tells what
// changed.
type watcher struct {
	c     *Container
	shown []bool
	last  *inspect.Snapshot // taken after the step before; nil if steps went by unseen
	told  *inspect.Snapshot // whatever changed up to this one has been told
	alone bool              // no other lab was at work when last was taken
	asked int               // pauses so far

	unseen event.Event // what the steps that go by unseen have called, Of counts them
}

// before asks whether to go on, and looks.
func (w *watcher) before(ctx context.Context, group []int) error {
	i := group[0]
	if !w.shown[i] {
		w.last = nil
		return w.begin(ctx)
	}
	if err := w.pause(ctx, i); err != nil {
		return err
	}
	if w.last != nil {
		return nil
	}
	return w.catchUp(ctx)
}

// begin looks before the first step, if that is one which goes by unseen.
func (w *watcher) begin(ctx context.Context) (err error) {
	if w.told == nil && w.c.opts.Watch {
		w.told, err = w.c.snapshot(ctx)
	}
	return err
}

// catchUp looks, and tells what came about by steps that went by unseen: what
// is shown next is done to that.
func (w *watcher) catchUp(ctx context.Context) error {
	now, err := w.look(ctx)
	if err != nil {
		return err
	}
	if e := w.unseen; e.Of > 0 {
		diff := w.c.mine(inspect.Compare(w.told, now))
		e.Event, e.Stage, e.PID = event.EarlierEvent, w.c.opts.Stage, w.c.PID()
		e.Created, e.Changed, e.Removed = diff.Created, diff.Changed, diff.Removed
		w.c.lab.emit(e)
	}
	w.last, w.told, w.unseen = now, now, event.Event{}
	return nil
}

// end tells what the last steps did, if they went by unseen.
func (w *watcher) end(ctx context.Context) error {
	if w.unseen.Of == 0 {
		return nil
	}
	return w.catchUp(ctx)
}

// pause shows what is about to happen and waits for the person's decision.
func (w *watcher) pause(ctx context.Context, i int) error {
	w.asked++
	if w.c.opts.Pause == nil || w.asked <= w.c.opts.Skip {
		return nil
	}
	step := w.c.Plan[i]
	n, of := w.position(i)
	preview := event.Preview{Stage: w.c.opts.Stage, Step: n, Of: of, Where: string(step.Where), PID: w.c.PID(),
		Why: step.Why, Calls: previewed(step.Op, w.c.target), Shell: step.Op.Shell(), Watch: w.c.watchHints()}
	for {
		decision, err := w.c.opts.Pause(ctx, preview)
		if err != nil {
			return err
		}
		switch decision {
		case event.Quit:
			return ErrQuit
		case event.Back:
			return ErrBack
		case event.Shell:
			if err := w.c.shell(ctx); err != nil {
				w.c.lab.emit(event.Event{Event: event.NoteEvent, Text: "no shell: " + err.Error()})
			}
		default:
			return nil
		}
	}
}

// watchHints are commands for another terminal.
func (c *Container) watchHints() []string {
	if c.PID() == 0 {
		return []string{fmt.Sprintf("%s cutaway inspect %d", c.lab.Aside, os.Getpid())}
	}
	return []string{
		fmt.Sprintf("%s ls -l /proc/%d/ns", c.lab.Aside, c.PID()),
		fmt.Sprintf("%s cutaway inspect %d", c.lab.Aside, c.PID()),
	}
}

// after looks again and tells what the step did.
func (w *watcher) after(ctx context.Context, group []int) error {
	i := group[0]
	calls := w.c.kernel.Calls()
	if !w.shown[i] {
		if w.c.opts.Watch {
			w.unseen.Of += len(group)
			w.unseen.Calls = append(w.unseen.Calls, calls...)
		}
		return nil
	}
	before, alone := w.last, w.alone
	now, err := w.look(ctx)
	if err != nil {
		return err
	}
	w.last, w.told = now, now
	step := w.c.Plan[i]
	diff := w.c.mine(inspect.Compare(before, now))
	if !alone || !w.alone {
		diff = without(diff, func(o inspect.Object) bool { return !expected(step, o.Kind) && w.c.shared(o) })
	}
	n, of := w.position(i)
	e := event.Event{Event: event.StepEvent, Stage: w.c.opts.Stage, Step: n, Of: of, Where: string(step.Where),
		PID: w.c.PID(), Op: step.Op.Name(), Why: step.Why, Shell: step.Op.Shell(), Calls: calls,
		Created: diff.Created, Changed: diff.Changed, Removed: diff.Removed, Micros: w.c.micros}
	e.Unexpected, e.Missing = judge(step, diff.Kinds())
	w.c.lab.emit(e)
	return nil
}

// look takes a Snapshot, and notes whether another lab is at work.
func (w *watcher) look(ctx context.Context) (*inspect.Snapshot, error) {
	others, err := w.c.lab.others(w.c.Spec.ID)
	if err != nil {
		return nil, err
	}
	w.alone = len(others) == 0
	return w.c.snapshot(ctx)
}

// mine leaves out of a Diff what belongs to other containers that come and go
// meanwhile.
func (c *Container) mine(d inspect.Diff) inspect.Diff {
	return without(d, func(o inspect.Object) bool {
		id, owned := owner(o.ID)
		return owned && id != c.Spec.ID
	})
}

// owner finds whose a link, table, group or directory of the lab's is, by its name;
// what a stage needs for a run has an owner without an id. By hand, as to link
// package regexp costs every container's start .07 ms, most of it for Unicode's tables.
func owner(name string) (id string, owned bool) {
	for _, before := range []string{"cutaway-", "cutaway/", "containers/"} {
		for _, after := range strings.Split(name, before)[1:] {
			rest := strings.TrimLeft(after, "0123456789abcdef")
			if id := strings.TrimSuffix(after, rest); len(id) == 6 {
				return id, true
			}
		}
	}
	_, dir, _ := strings.Cut(name, "containers/")
	kind, _, numbered := strings.Cut(dir, "-")
	return "", numbered && slices.Contains([]string{"pull", "runc", "tree"}, kind)
}

// shared reports whether an object is one that labs have in common: the first
// makes it, at any time, and the last takes it back.
func (c *Container) shared(o inspect.Object) bool {
	return labs(o) && !strings.Contains(o.ID+o.Where, c.Spec.ID)
}

// labs reports whether an object is a lab's, by its name; settings have none.
func labs(o inspect.Object) bool {
	return strings.Contains(o.ID+o.Where, "cutaway") || o.Kind == inspect.Sysctl
}

// Settled leaves out of a Diff what containers that live now have and share, for
// them to undo: links, groups and tables of theirs, the bridge, ip_forward.
func (l *Lab) Settled(d inspect.Diff) (inspect.Diff, error) {
	records, err := l.Records()
	records = slices.DeleteFunc(records, func(r Record) bool { return !r.Live })
	if err != nil || len(records) == 0 {
		return d, err
	}
	return without(d, labs), nil
}

func without(d inspect.Diff, others func(inspect.Object) bool) inspect.Diff {
	d.Created = slices.DeleteFunc(d.Created, others)
	d.Changed = slices.DeleteFunc(d.Changed, others)
	d.Removed = slices.DeleteFunc(d.Removed, others)
	return d
}

// judge compares the kinds that changed with those the step names.
func judge(step plan.Step, kinds []inspect.Kind) (unexpected, missing []inspect.Kind) {
	for _, kind := range kinds {
		if !expected(step, kind) {
			unexpected = append(unexpected, kind)
		}
	}
	if must := inspect.Kind(step.Must); must != "" && !slices.Contains(kinds, must) {
		missing = append(missing, must)
	}
	return unexpected, missing
}

func expected(step plan.Step, kind inspect.Kind) bool {
	return string(kind) == step.Must || slices.Contains(step.May, string(kind))
}

// position counts step i among the shown ones, from 1, after those from before.
func (w *watcher) position(i int) (n, of int) {
	n, of = w.c.opts.Before, w.c.opts.Before
	for j, shown := range w.shown {
		if shown {
			of++
			if j <= i {
				n++
			}
		}
	}
	return n, of
}

// snapshot looks at all that this container's steps may touch.
func (c *Container) snapshot(ctx context.Context) (*inspect.Snapshot, error) {
	scope := c.lab.Scope()
	scope.StateDirs = append(scope.StateDirs, c.Spec.State)
	if c.PID() != 0 {
		scope.PIDs = []int{c.PID()}
	}
	return inspect.Take(ctx, scope)
}

// Scope is what the lab may touch on the host.
func (l *Lab) Scope() inspect.Scope {
	scope := inspect.Scope{Host: true, StateDirs: []string{l.Dirs.Run, filepath.Join(l.Dirs.Data, "containers")}}
	for _, hierarchy := range l.Features.Cgroup.Hierarchies() {
		scope.CgroupRoots = append(scope.CgroupRoots, hierarchy+"/cutaway")
	}
	return scope
}

func (l *Lab) emit(e event.Event) {
	if l.Emit != nil {
		e.Schema = event.Schema
		l.Emit(e)
	}
}
