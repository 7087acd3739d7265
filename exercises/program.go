package exercises

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// An exercise of kind write lays out a program with a part missing: source, of
// which the checker builds program, which it runs, and what that prints is in
// said. All are in the attempt's directory.
const source, program, said = "main.go", "main", "main.log"

// NoCompilerError says that a program cannot be built on this machine.
type NoCompilerError struct{ Dir string }

func (e *NoCompilerError) Error() string {
	return "build " + filepath.Join(e.Dir, source) + ": there is no Go compiler on the PATH"
}

// Hint says how to get one, or do without.
func (e *NoCompilerError) Hint() string {
	return "apt-get install golang-go, or if sudo forgets your PATH: sudo env PATH=$PATH cutaway exercise check; in the microVM there is none: start and check by cutaway vm run --share DIR -- cutaway exercise check --dir /mnt/share, and between the two CGO_ENABLED=0 go build -o main main.go in DIR"
}

// layOut gives the learner the program to complete. One that is there stays.
func (a *Attempt) layOut() error {
	if _, err := os.Lstat(filepath.Join(a.Dir, source)); err == nil || a.Exercise.Kind != "write" {
		return nil
	}
	return a.writeProgram("start/" + source)
}

// writeProgram makes a file of the exercise the attempt's program.
func (a *Attempt) writeProgram(name string) error {
	text, err := fs.ReadFile(a.Exercise.dir, name)
	if err == nil {
		err = os.WriteFile(filepath.Join(a.Dir, source), text, 0o644)
	}
	return err
}

// run builds the learner's program and runs it, unless what runs was built of
// what he has now. Findings say what keeps it from running.
func (a *Attempt) run(ctx context.Context) ([]Finding, error) {
	built, err := a.upToDate()
	if err != nil {
		return nil, err
	}
	if !built {
		if f, err := a.build(ctx); f != nil || err != nil {
			return f, err
		}
	} else if pid, err := findProcess(fill(a.Exercise.Process, a.Params)); err != nil || pid != 0 && a.launched() {
		return nil, err
	}
	// What an earlier run of it left would be in the way.
	if err := errors.Join(a.End(ctx), a.setUp(ctx)); err != nil {
		return nil, err
	}
	return a.launch(ctx)
}

// upToDate reports whether the program is as new as its source.
func (a *Attempt) upToDate() (bool, error) {
	text, err := os.Stat(filepath.Join(a.Dir, source))
	if err != nil {
		return false, fmt.Errorf("find your program: %w", err)
	}
	binary, err := os.Stat(filepath.Join(a.Dir, program))
	return err == nil && !binary.ModTime().Before(text.ModTime()), nil
}

// launched reports whether the program is still the one that was launched last: a
// newer one may have been built elsewhere.
func (a *Attempt) launched() bool {
	binary, err := os.Stat(filepath.Join(a.Dir, program))
	return err == nil && binary.ModTime().Equal(a.Ran)
}

// build compiles it: one file, the standard library, no network.
func (a *Attempt) build(ctx context.Context) ([]Finding, error) {
	compiler, err := exec.LookPath("go")
	if err != nil {
		return nil, &NoCompilerError{a.Dir}
	}
	c := exec.CommandContext(ctx, compiler, "build", "-ldflags=-s -w", "-o", program, source)
	c.Dir = a.Dir
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOTOOLCHAIN=local", "GOPROXY=off", "GOFLAGS=")
	out, err := c.CombinedOutput()
	var status *exec.ExitError
	if errors.As(err, &status) {
		return []Finding{{Want: source + " compiles", Expected: "a program", Observed: strings.TrimSpace(string(out)),
			Cause: "the compiler names the line; only the standard library is there", Look: "https://pkg.go.dev/syscall"}}, nil
	}
	return nil, err
}

// launch starts the program and waits until it has become, or has started, the
// process to look at.
func (a *Attempt) launch(ctx context.Context) ([]Finding, error) {
	log, err := os.Create(filepath.Join(a.Dir, said))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	command := fill(a.Exercise.Process, a.Params)
	c := exec.Command("./"+program, strings.Fields(fill(a.Exercise.Args, a.Params))...)
	c.Dir, c.Stdout, c.Stderr = a.Dir, log, log
	c.Env = append(os.Environ(), markVariable+"="+a.Nonce)
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	binary, err := os.Stat(filepath.Join(a.Dir, program))
	if err == nil {
		a.Ran = binary.ModTime()
		err = errors.Join(a.save(), c.Start())
	}
	if err != nil {
		return nil, fmt.Errorf("run your program: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	for deadline := time.Now().Add(patience); ; {
		if pid, err := findProcess(command); pid != 0 || err != nil {
			return nil, err
		}
		select {
		case <-ended:
			// A child of it may be about to become the process.
			time.Sleep(100 * time.Millisecond)
			if pid, err := findProcess(command); pid != 0 || err != nil {
				return nil, err
			}
			return a.stopped(command, c.ProcessState.String())
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return a.stopped(command, fmt.Sprintf("it still runs after %s", patience))
		}
	}
}

// stopped is the finding that the program did not get where it should.
func (a *Attempt) stopped(command, state string) ([]Finding, error) {
	text, err := os.ReadFile(filepath.Join(a.Dir, said))
	words := strings.TrimSpace(string(text))
	last := words[strings.LastIndex(words, "\n")+1:]
	f := Finding{Want: "the program gets as far as " + command, Expected: command, Observed: strings.TrimSpace(words + "\n" + state),
		Cause: "it ended before, and said nothing", Look: "strace -f ./" + program + " " + fill(a.Exercise.Args, a.Params)}
	if last != "" {
		f.Cause = "it ended before: " + last
	}
	return []Finding{f}, err
}
