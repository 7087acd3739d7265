package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// readyVariable tells a detached cutaway that somebody waits, on descriptor
// readyFD, for its container to run.
const readyVariable, readyFD = "CUTAWAY_DETACHED", 3

// Detached reports whether this process was started by Detach.
func Detached() bool { return os.Getenv(readyVariable) != "" }

// TellReady is what a detached process has as Options.Started.
func TellReady(c *Container) error {
	ready := os.NewFile(readyFD, "ready")
	defer ready.Close()
	if _, err := fmt.Fprintln(ready, c.Spec.ID); err != nil {
		return fmt.Errorf("tell that container %s runs: %w", c.Spec.ID, err)
	}
	return nil
}

// DetachError is a detached cutaway that ended before its container ran.
type DetachError struct {
	Status int    // its exit status
	Said   string // on its standard error
}

// Error gives what the other process said.
func (e *DetachError) Error() string { return e.Said }

// Detach runs this program once more with the same arguments, in a session of
// its own without a terminal, and returns the id of its container as soon as
// that runs. The other process stays for as long as the container.
func Detach(ctx context.Context, args []string) (id string, err error) {
	read, write, err := os.Pipe()
	if err != nil {
		return "", fmt.Errorf("make a pipe: %w", err)
	}
	defer read.Close()
	errRead, errWrite, err := os.Pipe()
	if err != nil {
		write.Close()
		return "", fmt.Errorf("make a pipe: %w", err)
	}
	defer errRead.Close()
	other := exec.Command("/proc/self/exe", args...)
	other.Args[0] = os.Args[0] // as a person would see it in ps
	other.Env = append(os.Environ(), readyVariable+"=1")
	other.Stderr, other.ExtraFiles = errWrite, []*os.File{write}
	other.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = other.Start()
	write.Close()
	errWrite.Close()
	if err != nil {
		return "", fmt.Errorf("start a detached cutaway: %w", err)
	}
	// Whoever gives up waiting does not want the container either.
	stop := context.AfterFunc(ctx, func() { _ = other.Process.Signal(syscall.SIGTERM) })
	defer stop()
	line, err := io.ReadAll(read)
	if err != nil {
		return "", fmt.Errorf("wait for the detached cutaway: %w", err)
	}
	if id := string(bytes.TrimSpace(line)); id != "" {
		return id, nil
	}
	said, err := io.ReadAll(errRead)
	var status *exec.ExitError
	if waitErr := other.Wait(); errors.As(waitErr, &status) {
		return "", &DetachError{status.ExitCode(), strings.TrimSpace(string(said))}
	} else if waitErr != nil {
		return "", fmt.Errorf("wait for the detached cutaway: %w", waitErr)
	}
	return "", errors.Join(errors.New("the detached cutaway ended before its container ran"), err)
}
