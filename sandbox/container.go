package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"cutaway/sandbox/op"
	"cutaway/sandbox/pid1"
	"cutaway/sandbox/plan"
	"cutaway/sandbox/sys"
)

// Container is one that is being made, runs, or has ended.
type Container struct {
	Spec plan.Spec
	Plan plan.Plan
	// Terminal is the host's end of the container's own terminal, if it has one.
	Terminal *os.File

	lab     *Lab
	opts    Options
	journal *journal
	thread  thread
	kernel  sys.Kernel
	target  op.Target
	channel *pid1.Channel
	child   sys.Socket // init's end, until it is born
	micros  int64      // time the last group's calls took
	// together, if it is not nil, lets init run on every processor again.
	together func()

	mu       sync.Mutex // guards pidfd against a Kill from another goroutine
	pidfd    int
	headless bool // init's main thread ended, and others live
	waited   bool
	exit     sys.Exit
}

// Mark is a variable for the environment of a program of the host that works for
// this container: it is ended with it, also by whoever cleans up.
func (c *Container) Mark() string { return pid1.IDVariable + "=" + c.Spec.ID }

// PID is init's, and later the payload's, pid as the host counts.
func (c *Container) PID() int { return c.target.PID }

func (c *Container) hello() pid1.Hello {
	return pid1.Hello{Spec: c.Spec, Features: c.lab.Features, Quiet: !c.opts.Watch, Steps: len(c.Plan)}
}

// prepareLaunch gets ready what clone needs.
func (c *Container) prepareLaunch() error {
	host, child, err := sys.Pair()
	if err != nil {
		return err
	}
	c.channel, c.child = pid1.NewChannel(host), child
	c.target = op.Target{Socket: &child, Master: -1, Launch: sys.Launch{
		Argv: []string{initName},
		// One processor is all init can use, and no garbage is worth collecting.
		Env:     []string{"GOMAXPROCS=1", "GOGC=off", pid1.IDVariable + "=" + c.Spec.ID, "TERM=" + os.Getenv("TERM")},
		Files:   []uintptr{c.opts.Stdio[0].Fd(), c.opts.Stdio[1].Fd(), c.opts.Stdio[2].Fd(), uintptr(child.FD)},
		Setctty: c.opts.Setctty,
	}}
	c.kernel.Quiet = !c.opts.Watch
	return nil
}

// clone starts init.
func (c *Container) clone(o op.Clone) error {
	program, err := c.openProgram()
	if err != nil {
		return err
	}
	defer sys.CloseFD(program)
	// In the child, package syscall puts descriptors of its own right above the
	// highest that it hands on; init's program must not be there.
	fd, err := sys.DupAbove(program, int(slices.Max(c.target.Launch.Files))+16)
	if err != nil {
		return err
	}
	defer sys.CloseFD(fd)
	c.target.Launch.Exe = "/proc/self/fd/" + strconv.Itoa(fd)
	if err := op.Run(o, &c.kernel, &c.target); err != nil {
		return err
	}
	c.mu.Lock()
	c.pidfd = c.target.PidFD
	c.mu.Unlock()
	c.closeChild()
	if !c.opts.Watch {
		c.together = sys.Apart(c.target.PID)
	}
	return c.journal.born(c.target.PID)
}

// greet tells init, once it is born, what it will become.
func (c *Container) greet() error {
	if err := c.channel.Send(c.hello().Compiled(), -1); err != nil || !c.opts.Watch {
		return err
	}
	// Whoever watches must not take for a step's doing what init's runtime does
	// to itself at its start, its name and its limit of open files: an answer to
	// a request for nothing says that this is over.
	if err := c.channel.Send(pid1.Request{PID: c.target.PID}, -1); err != nil {
		return c.lost(err)
	}
	var ready pid1.Reply
	if _, err := c.channel.Receive(&ready); err != nil {
		return c.lost(err)
	}
	if ready.Error != nil {
		return ready.Error
	}
	return nil
}

func (c *Container) closeChild() {
	if c.child.FD > 0 {
		c.child.Close()
		c.child.FD = 0
	}
}

// ask has init do a group of steps and collects what it answers. The last step
// of a Plan ends with the socket closing: execve has succeeded.
func (c *Container) ask(group []int) error {
	if c.together != nil {
		c.together()
		c.together = nil
	}
	if err := c.channel.Send(pid1.Request{Do: group, PID: c.target.PID}, -1); err != nil {
		return c.lost(err)
	}
	_, becomesPayload := c.Plan[group[len(group)-1]].Op.(op.Exec)
	c.meanwhile()
	announced := false
	for {
		for becomesPayload && !c.channel.Ready(100*time.Millisecond) {
			c.endHeadless()
		}
		var r pid1.Reply
		fd, err := c.channel.Receive(&r)
		if errors.Is(err, io.EOF) && becomesPayload && (announced || !c.opts.Watch) {
			if c.opts.Watch {
				c.awaitPayload()
			}
			return c.confirm()
		}
		if err != nil {
			return c.lost(err)
		}
		if r.Master {
			if c.Terminal, err = sys.Interruptible(os.NewFile(uintptr(fd), "terminal")); err != nil {
				return err
			}
		}
		announced = len(r.Calls) > 0
		for _, call := range r.Calls {
			c.kernel.Keep(call)
		}
		if r.Error != nil {
			return r.Error
		}
		if r.Done {
			c.micros = r.Micros
			return nil
		}
	}
}

// meanwhile does once what is the host's to do while init is at work.
func (c *Container) meanwhile() {
	if c.opts.Meanwhile != nil {
		c.opts.Meanwhile()
		c.opts.Meanwhile = nil
	}
}

// Extend does one more operation of the host for a container that runs. It is
// undone with the container's own.
func (c *Container) Extend(o op.Op) error {
	return c.thread.run(func() error {
		if err := c.note(o); err != nil {
			return err
		}
		return c.doHere(o)
	})
}

// Calls are those that the host made for Extend since it was asked last, if the
// container is watched.
func (c *Container) Calls() []sys.Call { return c.kernel.Calls() }

// Kill ends the container at once. It is safe at any time, from any goroutine.
func (c *Container) Kill() { c.Signal(syscall.SIGKILL) }

// Signal sends a signal to init or the payload.
func (c *Container) Signal(s syscall.Signal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pidfd > 0 {
		// The process may have ended; nothing is to be done about it then.
		_ = sys.Signal(c.pidfd, s)
	}
}

// Wait waits for the payload to end. It may be called again.
func (c *Container) Wait() (sys.Exit, error) {
	if c.waited {
		return c.exit, nil
	}
	exit, err := sys.Wait(c.target.PID)
	if err == nil {
		c.waited, c.exit = true, exit
	}
	return exit, err
}

// Remove ends what still runs and undoes, last first, what the container has on
// the host.
func (c *Container) Remove() error {
	var failed []error
	if c.target.PID != 0 {
		c.Kill()
		if _, err := c.Wait(); err != nil {
			failed = append(failed, err)
		}
		c.mu.Lock()
		sys.CloseFD(c.pidfd)
		c.pidfd = 0
		c.mu.Unlock()
		if !c.Spec.Has("pid") {
			failed = append(failed, endStrays(c.Spec.ID))
		}
	}
	c.closeChild()
	if c.channel != nil {
		c.channel.Close()
	}
	if c.Terminal != nil {
		c.Terminal.Close()
	}
	c.thread.end()
	failed = append(failed, c.lab.Locked(func() error {
		others, err := c.lab.others(c.Spec.ID)
		return errors.Join(err, c.journal.undo(others))
	}))
	return errors.Join(failed...)
}

// endStrays kills what carries the mark of a container, or of a place, until
// nothing does: without a PID namespace the payload's children outlive it.
func endStrays(id string) error {
	for deadline := time.Now().Add(5 * time.Second); ; {
		pids := strays(id)
		if len(pids) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("processes %v of %s do not end", pids, id)
		}
		for _, pid := range pids {
			// One that ended meanwhile is what we want.
			_ = syscall.Kill(pid, syscall.SIGKILL)
			sys.Reap(pid)
		}
		time.Sleep(time.Millisecond)
	}
}

// thread is an operating system thread that host steps run on. Init asks to be
// killed when its parent thread ends, so the thread must live as long as the
// container; and what a step changes about the thread stays here. The zero thread
// is the caller's own: see Options.Locked.
type thread struct {
	work chan func() error
	done chan error
}

func newThread() thread {
	t := thread{work: make(chan func() error), done: make(chan error)}
	go t.serve(func() {})
	return t
}

// serve does the work on a thread of its own, and says when it has one.
func (t thread) serve(begun func()) {
	// Never unlocked: the thread ends with the goroutine, and with it what was
	// changed about it.
	runtime.LockOSThread()
	if sys.OnMainThread() { // which cannot end: held until there is another
		other := make(chan struct{})
		go t.serve(func() { close(other) })
		<-other
		runtime.UnlockOSThread()
		begun()
		return
	}
	begun()
	for f := range t.work {
		t.done <- f()
	}
}

func (t thread) run(f func() error) error {
	if t.work == nil {
		return f()
	}
	t.work <- f
	return <-t.done
}

func (t thread) end() {
	if t.work != nil {
		close(t.work)
	}
}

// shell opens a shell inside init as far as it is built, on a terminal.
func (c *Container) shell(ctx context.Context) error {
	if c.target.PID == 0 {
		return errors.New("there is no inside yet: init has not been started")
	}
	if c.opts.Relay == nil {
		return errors.New("a shell needs a terminal")
	}
	master, slave, err := openPTY()
	if err != nil {
		return err
	}
	defer master.Close()
	err = c.channel.Send(pid1.Request{Spawn: []string{"/bin/sh"}, PID: c.target.PID}, int(slave.Fd()))
	slave.Close()
	if err != nil {
		return c.lost(err)
	}
	relayed := make(chan error, 1)
	go func() { relayed <- c.opts.Relay(ctx, master) }()
	var r pid1.Reply
	_, err = c.channel.Receive(&r)
	said := lastWords(relayed, master) // until then the person's terminal is not theirs
	switch {
	case err != nil:
		return c.lost(err)
	case r.Error != nil:
		return r.Error
	}
	return said
}
