package pid1

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"cutaway/sandbox/op"
	"cutaway/sandbox/plan"
	"cutaway/sandbox/sys"
)

// Main is all that init does. It returns only when it could not become the
// payload; the host has been told why.
//
// Namespaces, root and credentials belong to a thread. Every step runs on the
// main thread, whose id is the process's, and execve from it ends the other
// threads that the Go runtime made. So Main must be called on that thread, from
// an init function or after runtime.LockOSThread.
func Main() error {
	sys.GrowStack()
	if !sys.OnMainThread() {
		return errors.New("init does not run on its main thread")
	}
	socket := sys.Socket{FD: SocketFD}
	socket.CloseOnExec()
	sys.SetName("cutaway-init") // started from /proc/self/fd/N, it would be called N
	i := initProcess{host: NewChannel(socket)}
	i.target = op.Target{Open: map[string][]int{}, Socket: &socket, Master: -1}

	var hello Hello
	if _, err := i.host.Receive(&hello); err != nil {
		return fmt.Errorf("read the spec from the host: %w", err)
	}
	var err error
	if i.plan, err = hello.Plan(); err != nil {
		return fmt.Errorf("compile the plan: %w", err)
	}
	i.kernel = sys.Kernel{Quiet: hello.Quiet, BeforeExec: i.announceExec}
	if hello.Quiet {
		sys.Unhurry()
	}
	return i.serve()
}

type initProcess struct {
	host   *Channel
	plan   plan.Plan
	kernel sys.Kernel
	target op.Target
	step   int
}

// serve does what the host asks until the payload takes over, or the host is
// gone: then there is nothing left to be for.
func (i *initProcess) serve() error {
	for {
		var r Request
		fd, err := i.host.Receive(&r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a request: %w", err)
		}
		i.target.PID = r.PID
		reply := Reply{Done: true}
		if len(r.Spawn) > 0 {
			reply.Status, err = spawn(r.Spawn, fd)
			if err != nil {
				reply.Error = &op.Error{Op: "spawn", What: "start " + r.Spawn[0], Fact: err.Error()}
			}
		} else {
			i.do(r.Do, &reply)
		}
		if err := i.host.Send(reply, -1); err != nil {
			return fmt.Errorf("answer the host: %w", err)
		}
	}
}

// do runs the steps and fills in the reply, up to the first that fails.
func (i *initProcess) do(steps []int, reply *Reply) {
	begin := time.Now()
	for _, n := range steps {
		i.step, reply.Step = n, n
		if n < 0 || n >= len(i.plan) {
			reply.Error = &op.Error{What: fmt.Sprintf("step %d", n), Fact: "no such step in the plan"}
			break
		}
		if err := op.Run(i.plan[n].Op, &i.kernel, &i.target); err != nil {
			errors.As(err, &reply.Error)
			break
		}
		if err := i.passTerminal(); err != nil {
			reply.Error = &op.Error{What: "send the terminal to the host", Fact: err.Error()}
			break
		}
	}
	reply.Micros = time.Since(begin).Microseconds()
	reply.Calls = i.kernel.Calls()
}

// passTerminal hands the terminal that a step has opened to the host.
func (i *initProcess) passTerminal() error {
	if i.target.Master < 0 {
		return nil
	}
	defer func() { i.target.Master = -1 }()
	defer sys.CloseFD(i.target.Master)
	return i.host.Send(Reply{Step: i.step, Master: true}, i.target.Master)
}

// announceExec reports the calls of the last step before execve, after which
// nobody is left to. If execve fails, a reply with the error follows.
func (i *initProcess) announceExec() {
	if calls := i.kernel.Calls(); len(calls) > 0 {
		// If the host is gone, so are we: execve's parent-death check sees to it.
		_ = i.host.Send(Reply{Step: i.step, Calls: calls}, -1)
	}
}

// spawn starts a program with this process's namespaces, root and credentials,
// on the given terminal, and waits for it: a look around in mid-construction.
func spawn(argv []string, tty int) (int, error) {
	defer sys.CloseFD(tty)
	env := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "PS1=inside # ", "TERM=" + os.Getenv("TERM"),
		IDVariable + "=" + os.Getenv(IDVariable)}
	fd := uintptr(tty)
	pid, _, err := syscall.StartProcess(argv[0], argv, &syscall.ProcAttr{Env: env, Files: []uintptr{fd, fd, fd},
		Sys: &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0, Pdeathsig: syscall.SIGKILL}})
	if err != nil {
		return 0, err
	}
	exit, err := sys.Wait(pid)
	return exit.Status(), err
}
