package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"cutaway/sandbox/event"
	"cutaway/sandbox/features"
	"cutaway/sandbox/op"
	"cutaway/sandbox/plan"
	"cutaway/sandbox/sys"
)

// Lab makes containers on this machine.
type Lab struct {
	Dirs     Dirs
	Features features.Features
	// Emit is told of everything that happens; nil tells nobody.
	Emit func(event.Event)
	// Aside is what a command for another terminal begins with: sudo, say.
	Aside string
}

// New looks at the machine and prepares the lab's directories. state, when not
// empty, is where images and root filesystems are kept. What a killed run left
// behind is cleaned up first.
func New(state string) (*Lab, error) {
	l, err := open(state)
	if err != nil {
		return nil, err
	}
	if _, err := l.cleanJournals(); err != nil {
		return nil, fmt.Errorf("clean up after a run that was killed: %w", err)
	}
	return l, nil
}

// open is New without the cleaning.
func open(state string) (*Lab, error) {
	// What we make is read by a container's root, who is nobody here, and a payload
	// begins with the usual mask, whatever that of the person is.
	syscall.Umask(0o022)
	dirs, err := DefaultDirs(state)
	if err != nil {
		return nil, err
	}
	f, err := features.Detect()
	if err != nil {
		return nil, err
	}
	if err := dirs.make(); err != nil {
		return nil, err
	}
	l := &Lab{Dirs: dirs, Features: f}
	// Made here, the lock's file appears in no Snapshot as a container's doing.
	return l, l.Locked(func() error { return nil })
}

// Options say how a container is made, beside what it is.
type Options struct {
	Name, Image string // for the record
	Stage       string // slug, for the events
	// Watch makes every step on its own, with a Snapshot before and after, and
	// tells of it; otherwise the same Plan runs as fast as it can.
	Watch bool
	// Shown picks the steps to tell of, from the finished Spec and its Plan; nil
	// is all of them.
	Shown func(plan.Spec, plan.Plan) []bool
	// Pause is asked before each shown step but the first Skip ones.
	Pause func(context.Context, event.Preview) (event.Decision, error)
	Skip  int
	// Before is how many steps were told before those of the Plan.
	Before int
	// Stdio is the payload's standard input, output and error. With Setctty the
	// first of them becomes its controlling terminal.
	Stdio   [3]*os.File
	Setctty bool
	// Log has Run keep what the payload prints in place of giving it to Stdio: see
	// Lab.Log.
	Log bool
	// Relay connects a terminal inside to the person outside, while a shell runs.
	Relay func(ctx context.Context, master *os.File) error
	// Rest gives the whole Spec where Start was told only what init is born with,
	// see plan.Birth. It is called while init starts up; somebody who watches
	// sees one thing after the other.
	Rest func() (plan.Spec, error)
	// Locked says that whoever calls has locked a thread, which lives as long as
	// the container: the host's steps are done on that, unless they are to change it.
	// Otherwise it gets a thread of its own, and each word with that takes as long as
	// a step.
	Locked bool
	// Meanwhile is called once, when init has been given its first steps and the
	// host has nothing to do.
	Meanwhile func()
	// Started is told by Run once the payload runs.
	Started func(*Container) error
	// Step is told of each step of the Plan, right before it is done, when the
	// journal knows of it already, and right after. A test ends the process there.
	Step func(i int, done bool)
}

// The ways a pause can end the run other than by failing.
var (
	ErrQuit = errors.New("stopped at the reader's wish")
	ErrBack = errors.New("going back one step")
)

// Start makes the container of spec and returns once the payload runs. Whatever
// goes wrong, nothing is left behind: the error is an *op.Error for a step that
// was refused.
func (l *Lab) Start(ctx context.Context, spec plan.Spec, o Options) (*Container, error) {
	if o.Rest != nil && o.Watch {
		terminal := spec.Process.Terminal
		var err error
		if spec, err = o.Rest(); err != nil {
			return nil, err
		}
		spec.Process.Terminal, o.Rest = terminal, nil
	}
	c, err := l.register(spec, o)
	if err != nil {
		return nil, err
	}
	if err := c.build(ctx); err != nil {
		return nil, errors.Join(err, c.Remove())
	}
	return c, nil
}

// build does the Plan.
func (c *Container) build(ctx context.Context) error {
	if err := c.prepareLaunch(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, c.Kill)
	defer stop()
	born, err := c.bear(ctx)
	if err != nil {
		return err
	}
	p, err := c.hello().Plan()
	if err != nil {
		return err
	}
	c.Plan = p
	if born > 0 {
		if err := c.greet(); err != nil {
			return c.explain(ctx, err)
		}
	}
	shown := make([]bool, len(p))
	if c.opts.Watch {
		for i := range shown {
			shown[i] = true
		}
		if c.opts.Shown != nil {
			shown = c.opts.Shown(c.Spec, p)
		}
	}
	w := watcher{c: c, shown: shown}
	for _, g := range groups(p, shown, born, c.opts.Step != nil) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.before(ctx, g); err != nil {
			return err
		}
		err := c.do(g)
		if err == nil && isClone(p[g[len(g)-1]].Op) {
			err = c.greet()
		}
		if err != nil {
			return c.explain(ctx, err)
		}
		if err := w.after(ctx, g); err != nil {
			return err
		}
	}
	return w.end(ctx)
}

// bear does the beginning of the Plan, and has Rest find out what is to follow
// while init starts up. It returns how many steps that were.
func (c *Container) bear(ctx context.Context) (done int, err error) {
	if c.opts.Rest == nil {
		return 0, nil
	}
	c.Plan = plan.Birth(c.Spec, c.lab.Features)
	steps := make([]int, len(c.Plan))
	for i := range steps {
		steps[i] = i
	}
	if err := c.thread.run(func() error { return c.doGroup(steps) }); err != nil {
		return 0, c.explain(ctx, err)
	}
	spec, err := c.opts.Rest()
	if err != nil {
		return 0, err
	}
	spec = c.lab.Like(spec, &c.Spec)
	spec.Process.Terminal = c.Spec.Process.Terminal
	c.Spec, c.Plan = spec, nil
	return len(steps), c.journal.runs(spec.Process.Args)
}

// explain puts the cause first: a step that fails because the run was cancelled,
// or because init is dead, was not refused by the kernel.
func (c *Container) explain(ctx context.Context, err error) error {
	// A process that dies is out of its namespaces a moment before it has ended.
	const moment = 50 * time.Millisecond
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil && c.target.PID != 0 && sys.Gone(c.target.PidFD, moment):
		return c.lost(err)
	}
	return err
}

// groups splits the plan into runs that need no word with init in between:
// neighbours in the same place. A step that is shown stands alone, or each of
// them; and after the clone there is something to say. The first born steps have
// been done.
func groups(p plan.Plan, shown []bool, born int, each bool) [][]int {
	var out [][]int
	for i := born; i < len(p); i++ {
		n := len(out)
		if n > 0 && !each && !shown[i] && !shown[i-1] && p[i].Where == p[i-1].Where && !isClone(p[i-1].Op) {
			out[n-1] = append(out[n-1], i)
			continue
		}
		out = append(out, []int{i})
	}
	return out
}

func isClone(o op.Op) bool {
	_, is := o.(op.Clone)
	return is
}

// do does the steps of one group where they belong.
func (c *Container) do(group []int) error {
	begin := time.Now()
	defer func() {
		if c.micros == 0 {
			c.micros = time.Since(begin).Microseconds()
		}
	}()
	c.micros = 0
	if c.Plan[group[0]].Where == plan.Init {
		c.tell(group[0], false)
		defer c.tell(group[0], true)
		return c.ask(group)
	}
	// Each hand-over to another thread costs two switches, about as much as a
	// step; so the whole group goes there at once.
	return c.thread.run(func() error { return c.doGroup(group) })
}

// doGroup does steps of the host; it is called on the thread init is the child of.
func (c *Container) doGroup(group []int) error {
	for _, i := range group {
		o := c.Plan[i].Op
		if err := c.note(o); err != nil {
			return err
		}
		c.tell(i, false)
		if err := c.doHere(o); err != nil {
			return err
		}
		c.tell(i, true)
	}
	return nil
}

// tell tells of a step, if anybody wants to know.
func (c *Container) tell(i int, done bool) {
	if c.opts.Step != nil {
		c.opts.Step(i, done)
	}
}

// note has the journal know of an operation that is about to be done.
func (c *Container) note(o op.Op) error {
	u, outlives := o.(op.Undoer)
	if !outlives {
		return nil
	}
	return c.journal.before(u)
}

// doHere does one operation of the host, on the same thread.
func (c *Container) doHere(o op.Op) error {
	if clone, ok := o.(op.Clone); ok {
		return c.clone(clone)
	}
	return op.Run(o, &c.kernel, &c.target)
}

// previewed tells what the next calls will be, without making them.
func previewed(o op.Op, t op.Target) []sys.Call {
	k := sys.Kernel{Dry: true}
	// A dry run makes no call, so there is nothing that could fail.
	_ = op.Run(o, &k, &t)
	return k.Calls()
}
