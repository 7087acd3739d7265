package exercises

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"cutaway/sandbox/inspect"
	"cutaway/sandbox/sys"
)

// Attempt is an exercise under way, in a directory of the learner's.
type Attempt struct {
	Exercise Exercise          `json:"-"`
	Dir      string            `json:"-"`
	Slug     string            `json:"exercise"`
	Params   map[string]string `json:"params"`
	Nonce    string            `json:"nonce"` // marks the processes of setup.sh
	Begun    time.Time         `json:"begun"`
	Hints    int               `json:"hints"`        // how many were given
	Ran      time.Time         `json:"ran,omitzero"` // when the program was built that was launched last
}

// attemptFile holds an attempt in its directory, markVariable its nonce in the
// environment of what its scripts start.
const attemptFile, markVariable = ".attempt.json", "CUTAWAY_EXERCISE"

// BegunError says that there is an attempt in the directory already.
type BegunError struct{ Dir string }

func (e *BegunError) Error() string {
	return "start exercise: " + e.Dir + " has an attempt in it already"
}

// Hint says how to go on, or begin anew.
func (e *BegunError) Hint() string {
	return "cutaway exercise check goes on with it, reset begins anew"
}

// NotBegunError says that there is none.
type NotBegunError struct{ Dir string }

func (e *NotBegunError) Error() string { return "find your attempt: there is none in " + e.Dir }

// Hint says how to begin.
func (e *NotBegunError) Hint() string { return "cutaway exercise start NAME begins one" }

// NeedError says that a program on this machine cannot do what an exercise takes.
type NeedError struct{ Program, Flag string }

func (e *NeedError) Error() string {
	return "start exercise: " + e.Program + " has no " + e.Flag + " on this machine"
}

// Hint says where it has.
func (e *NeedError) Hint() string {
	return "that of util-linux has it, busybox's has not; a microVM takes it from the machine that boots it, if util-linux and bash are there"
}

// fits says which program of this machine an exercise cannot be done with. Asked
// is the shell, as the learner will: it may prefer programs of its own.
func (e Exercise) fits(ctx context.Context) error {
	for program, flag := range e.Needs {
		// Its status says nothing: some call --help an error.
		help, _ := exec.CommandContext(ctx, "/bin/sh", "-c", program+" --help 2>&1").Output()
		if !strings.Contains(string(help), flag) {
			return &NeedError{program, flag}
		}
	}
	return nil
}

// Start begins an attempt in dir, which is made: it draws the parameters, lays
// out the task, and runs setup.sh.
func Start(ctx context.Context, e Exercise, dir string) (*Attempt, error) {
	if _, err := os.Lstat(filepath.Join(dir, attemptFile)); err == nil {
		return nil, &BegunError{dir}
	}
	if err := e.fits(ctx); err != nil {
		return nil, err
	}
	var seed [16]byte
	rand.Read(seed[:]) // never fails: crypto/rand
	a := &Attempt{Exercise: e, Dir: dir, Slug: e.Slug, Params: map[string]string{}, Begun: time.Now().UTC(),
		Nonce: strconv.FormatUint(binary.LittleEndian.Uint64(seed[8:]), 36)}
	for name, from := range e.Params {
		rand.Read(seed[:8])
		value, err := draw(from, binary.LittleEndian.Uint64(seed[:])>>1)
		if err != nil {
			return nil, err
		}
		a.Params[name] = value
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("start exercise: %w", err)
	}
	if err := errors.Join(a.save(), os.WriteFile(filepath.Join(dir, "task.md"), []byte(a.Task()), 0o644), a.layOut()); err != nil {
		return nil, fmt.Errorf("start exercise: %w", err)
	}
	if err := a.setUp(ctx); err != nil {
		return nil, errors.Join(err, a.End(context.WithoutCancel(ctx))) // also after ^C
	}
	return a, nil
}

// given reports whether the process to look at is there from the start, made by
// setup.sh.
func (e Exercise) given() bool { return e.Kind == "mend" || e.Kind == "explain" }

// setUp runs setup.sh, if the exercise has one, and waits until the process that
// it starts, if it does, is there to be found.
func (a *Attempt) setUp(ctx context.Context) error {
	if _, err := fs.Stat(a.Exercise.dir, "setup.sh"); err != nil {
		return nil
	}
	if err := a.script(ctx, "setup.sh"); err != nil || !a.Exercise.given() {
		return err
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		pid, err := findProcess(fill(a.Exercise.Process, a.Params))
		if err != nil {
			return err
		}
		if pid != 0 {
			return a.remember(pid)
		}
	}
	return fmt.Errorf("set up exercise %s: what setup.sh starts does not come up", a.Slug)
}

// remember notes when the process to look at was started, by which a check knows
// it from one that is started in its place: proc_pid_stat(5), starttime.
func (a *Attempt) remember(pid int) error {
	s, err := inspect.OfProcess(pid)
	if err != nil {
		return fmt.Errorf("set up exercise %s: %w", a.Slug, err)
	}
	a.Params["started"] = fact(s, "process.started")
	return a.save()
}

// Load finds the attempt in dir.
func Load(all []Exercise, dir string) (*Attempt, error) {
	text, err := os.ReadFile(filepath.Join(dir, attemptFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, &NotBegunError{dir}
	}
	a := &Attempt{Dir: dir}
	if err == nil {
		err = json.Unmarshal(text, a)
	}
	if err == nil {
		a.Exercise, err = Find(all, a.Slug)
	}
	if err != nil {
		return nil, fmt.Errorf("read your attempt in %s: %w", dir, err)
	}
	return a, nil
}

func (a *Attempt) save() error {
	text, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return err
	}
	temp := filepath.Join(a.Dir, attemptFile+".new")
	if err := os.WriteFile(temp, text, 0o644); err != nil {
		return err
	}
	return os.Rename(temp, filepath.Join(a.Dir, attemptFile))
}

// Task is what is to be done, with what was drawn.
func (a *Attempt) Task() string { return fill(a.Exercise.Task, a.Params) }

// Hint gives the next rung of the ladder, the last one again and again.
func (a *Attempt) Hint() (string, error) {
	h := a.Exercise.Hints
	a.Hints = min(a.Hints+1, len(h))
	return a.fill(h[a.Hints-1]), a.save()
}

// Solution is how it is done, with what was drawn.
func (a *Attempt) Solution() (string, error) {
	text, err := fs.ReadFile(a.Exercise.dir, a.Exercise.solution())
	return a.fill(string(text)), err
}

// solution is the file that has it.
func (e Exercise) solution() string {
	if e.Kind == "write" {
		return "solution/" + source
	}
	return "solution.sh"
}

// fill puts what was drawn in its place, and the pid of the process to look at,
// where that runs, in the place of {{pid}}.
func (a *Attempt) fill(text string) string {
	text = fill(text, a.Params)
	if !strings.Contains(text, "{{pid}}") {
		return text
	}
	if pid, err := findProcess(fill(a.Exercise.Process, a.Params)); err == nil && pid != 0 {
		return strings.ReplaceAll(text, "{{pid}}", strconv.Itoa(pid))
	}
	return strings.ReplaceAll(text, "{{pid}}", "PID")
}

// script runs one of the exercise's scripts, if it has it, and waits until it
// has ended; what it leaves running carries the attempt's mark.
func (a *Attempt) script(ctx context.Context, name string) error {
	text, err := fs.ReadFile(a.Exercise.dir, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = a.sh(ctx, string(text)).Run()
	}
	if err != nil {
		return fmt.Errorf("run %s of exercise %s: %w", name, a.Slug, err)
	}
	return nil
}

// sh is a shell for a text, in the attempt's directory, where cutaway is this
// program. What it prints is shown on standard error.
func (a *Attempt) sh(ctx context.Context, text string) *exec.Cmd {
	c := exec.CommandContext(ctx, "/bin/sh", "-e", "-s")
	c.Dir, c.Stdin, c.Stderr = a.Dir, strings.NewReader(a.fill(text)), os.Stderr
	c.Env = append(os.Environ(), markVariable+"="+a.Nonce)
	if self, err := sys.Self(); err == nil {
		c.Env = append(c.Env, "PATH="+filepath.Dir(self)+":"+os.Getenv("PATH"))
	}
	for name, value := range a.Params {
		c.Env = append(c.Env, strings.ToUpper(name)+"="+value)
	}
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return c
}

// End takes away what the attempt has in the kernel: the processes of its
// scripts and the one to look at, then what clean.sh knows of. The directory
// stays.
func (a *Attempt) End(ctx context.Context) error {
	for deadline := time.Now().Add(5 * time.Second); ; {
		pids := a.processes()
		if len(pids) == 0 {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("end exercise %s: processes %v do not end", a.Slug, pids)
		}
		for _, pid := range pids {
			// One that has ended meanwhile is what we want.
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return a.script(ctx, "clean.sh")
}

// processes are those with the attempt's mark, and the one that it looks at.
func (a *Attempt) processes() []int {
	var pids []int
	if pid, err := findProcess(fill(a.Exercise.Process, a.Params)); err == nil && pid != 0 {
		pids = append(pids, pid)
	}
	environs, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		return pids
	}
	mark := []byte(markVariable + "=" + a.Nonce)
	for _, file := range environs {
		env, err := os.ReadFile(file)
		if err != nil {
			continue // gone, or not ours to read
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err == nil && pid != os.Getpid() && bytes.Contains(env, mark) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// Reset begins anew in the same directory: what was there of the attempt is
// taken away, and what the learner put there stays, a program of his under
// another name.
func (a *Attempt) Reset(ctx context.Context) (*Attempt, error) {
	if err := a.End(ctx); err != nil {
		return nil, err
	}
	err := os.Rename(filepath.Join(a.Dir, source), filepath.Join(a.Dir, source+".before"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("reset exercise: %w", err)
	}
	for _, name := range []string{attemptFile, "task.md", "answers.txt", program, said} {
		if err := os.Remove(filepath.Join(a.Dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("reset exercise: %w", err)
		}
	}
	return Start(ctx, a.Exercise, a.Dir)
}
