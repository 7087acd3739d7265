package sandbox

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"cutaway/sandbox/pid1"
	"cutaway/sandbox/sys"
)

// Place is a directory for what one run needs beside the lab's containers. It is
// locked as long as it is in use: if this process is killed, `cutaway clean` and
// the next to make such a place know that it is nobody's.
type Place struct {
	Dir  string
	lock *os.File
}

// undoFile has, in a place, the commands that take back what other programs made
// for this run, a JSON list of words a line.
const undoFile = "undo"

// undoPatience is how long such a command may take.
const undoPatience = 20 * time.Second

// ComparePlace makes the place of a comparison, which clean knows by its name.
func (l *Lab) ComparePlace() (Place, error) { return l.NewPlace(comparePrefix) }

// NewPlace makes a place whose name begins with prefix. It can be searched by
// everybody, for a container's root, who is nobody here, must get through.
func (l *Lab) NewPlace(prefix string) (p Place, err error) {
	parent := l.Dirs.Container("")
	// Nobody may take the place for abandoned before its lock is held.
	err = l.Locked(func() error {
		if _, err := sweepPlaces(parent, prefix); err != nil {
			return err
		}
		if p.Dir, err = os.MkdirTemp(parent, prefix); err != nil {
			return err
		}
		if p.lock, err = os.Open(p.Dir); err != nil {
			return err
		}
		return errors.Join(sys.Lock(p.lock), p.lock.Chmod(0o711))
	})
	if err != nil {
		return Place{}, errors.Join(fmt.Errorf("make a place below %s: %w", parent, err), p.Remove())
	}
	return p, nil
}

// sweepPlaces removes those that killed runs have left, and says which.
func sweepPlaces(parent, prefix string) (swept []string, err error) {
	left, err := filepath.Glob(filepath.Join(parent, prefix+"*"))
	for _, dir := range left {
		f, openErr := os.Open(dir)
		if openErr != nil {
			continue // gone meanwhile
		}
		if sys.TryLock(f) == nil {
			err = errors.Join(err, Place{Dir: dir}.Remove())
			swept = append(swept, dir)
		}
		f.Close()
	}
	return swept, err
}

// Undo notes a command that takes back what another program is about to make: a
// runtime's container, an image. It is run when the place is removed, the last
// one first, also by whoever cleans up; it must cope with there being nothing.
func (p Place) Undo(args ...string) error {
	text, err := json.Marshal(args)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(p.Dir, undoFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("note what is to be undone: %w", err)
	}
	_, err = f.Write(append(text, '\n'))
	return errors.Join(err, f.Close())
}

// Mark is a variable for the environment of a program that may outlive this
// process: removing the place ends whatever has it.
func (p Place) Mark() string { return pid1.IDVariable + "=" + filepath.Base(p.Dir) }

// Remove ends what carries the place's mark, and removes the place with what is
// in it.
func (p Place) Remove() error {
	if p.Dir == "" {
		return nil
	}
	err := endStrays(filepath.Base(p.Dir))
	p.undo()
	err = errors.Join(err, os.RemoveAll(p.Dir))
	if p.lock != nil {
		p.lock.Close()
	}
	return err
}

// undo runs the commands that were noted. Most find nothing to do, and say so by
// their status, which therefore means nothing here.
func (p Place) undo() {
	f, err := os.Open(filepath.Join(p.Dir, undoFile))
	if err != nil {
		return
	}
	defer f.Close()
	var commands [][]string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var args []string
		if json.Unmarshal(lines.Bytes(), &args) == nil && len(args) > 0 {
			commands = append(commands, args)
		}
	}
	for n := len(commands) - 1; n >= 0; n-- {
		ctx, cancel := context.WithTimeout(context.Background(), undoPatience)
		_ = exec.CommandContext(ctx, commands[n][0], commands[n][1:]...).Run() // as above
		cancel()
	}
}
