package sandbox

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"cutaway/sandbox/sys"
)

// InitError is an init that ended before it became the payload.
type InitError struct {
	PID         int
	How, Advice string
}

// Error says how it ended.
func (e *InitError) Error() string {
	return fmt.Sprintf("init (pid %d) %s before it became the payload", e.PID, e.How)
}

// Hint says what often is the reason.
func (e *InitError) Hint() string { return e.Advice }

// What may be the reason when the kernel ends init.
const (
	littleMemory = "with --memory: that may be less than a program needs to start"
	strictFilter = "with a seccomp profile of your own: it has to allow what it takes to start a program, such as futex, write, execve"
)

// lost explains an init that went silent.
func (c *Container) lost(err error) error {
	if c.target.PID == 0 {
		return fmt.Errorf("speak to init: %w", err)
	}
	c.Kill()
	exit, waitErr := c.Wait()
	if waitErr != nil {
		return waitErr
	}
	e := &InitError{PID: c.target.PID, How: fmt.Sprintf("ended with status %d", exit.Code)}
	if exit.Signal != 0 {
		e.How = "was ended by " + exit.SignalName()
	}
	switch {
	case c.headless:
		e.How, e.Advice = "lost its main thread", strictFilter
	case exit.Signal == syscall.SIGSYS, exit.Signal == syscall.SIGTRAP:
		e.Advice = strictFilter
	case exit.Signal == syscall.SIGKILL && c.Spec.Linux.Resources.MemoryMax > 0:
		e.Advice = littleMemory
	}
	return e
}

// confirm tells a successful execve from an init that died: both close the
// socket, and only a payload has another name than init. The kernel gives it
// that a few microseconds later.
func (c *Container) confirm() error {
	for end := time.Now().Add(time.Second); c.stillInit() && time.Now().Before(end); {
		if sys.Gone(c.pidfd, 20*time.Microsecond) {
			return c.lost(nil)
		}
	}
	return nil
}

// stillInit reports whether the process has the name that init gave itself. It
// keeps it when it has ended, until it is waited for.
func (c *Container) stillInit() bool {
	comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", c.target.PID))
	return err == nil && strings.TrimSpace(string(comm)) == initName
}

// endHeadless ends an init whose main thread a filter has killed, SCMP_ACT_KILL:
// the Go runtime's other threads would live on, and hold the socket open.
func (c *Container) endHeadless() {
	if _, err := startTime(c.target.PID); errors.Is(err, os.ErrProcessDone) && !sys.Gone(c.pidfd, 0) {
		c.headless = true
		c.Kill()
	}
}
