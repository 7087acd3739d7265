package stages

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// freezer stops every process of a control group where it is: cgroup.freeze of
// v2 (since Linux 5.2), freezer.state of v1.
type freezer struct {
	file, on, off string // what to write where
	state, frozen string // where it is told, and the line that says so
}

func (l *Look) freezer() freezer {
	if l.v2() {
		return freezer{
			file: l.groupFile("freezer", "cgroup.freeze", ""), on: "1", off: "0",
			state: l.groupFile("freezer", "cgroup.events", ""), frozen: "frozen 1",
		}
	}
	file := l.groupFile("freezer", "", "freezer.state")
	return freezer{file: file, on: "FROZEN", off: "THAWED", state: file, frozen: "FROZEN"}
}

// freeze stops the group and waits until it says that it stands still.
func (f freezer) freeze() (string, error) {
	if err := os.WriteFile(f.file, []byte(f.on), 0); err != nil {
		return "", err
	}
	for deadline := time.Now().Add(time.Second); ; time.Sleep(time.Millisecond) {
		line, err := readLine(f.state, f.frozen)()
		if err != nil || line == f.frozen || time.Now().After(deadline) {
			return line, err
		}
	}
}

func (f freezer) thaw() error { return os.WriteFile(f.file, []byte(f.off), 0) }

// answer is what a command gave.
type answer struct {
	out Out
	err error
}

// lookFreezer gives the frozen container a command and thaws it.
func lookFreezer(l *Look) {
	const pause = 200 * time.Millisecond
	f := l.freezer()
	if !exists(f.file) {
		l.Note("not shown: the freezer, because %v", l.Lab.Features.HaveController("freezer"))
		return
	}
	l.Outside("echo "+f.on+" > "+l.groupName(f.file), "every process stands still", f.freeze, func(text string) bool { return text == f.frozen })
	answered := make(chan answer, 1)
	go func() {
		out, err := l.run("echo awake")
		answered <- answer{out, err}
	}()
	time.Sleep(pause)
	early := len(answered)
	err := f.thaw()
	a := <-answered
	if err := errors.Join(err, a.err); err != nil {
		a.out = Out{Text: err.Error(), Status: 1}
	}
	l.report("inside", "echo awake", a.out,
		fmt.Sprintf("silent for %d ms, and answered when thawed", pause.Milliseconds()),
		early == 0 && a.out == Out{Text: "awake"})
}
