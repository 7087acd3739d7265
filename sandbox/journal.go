package sandbox

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"cutaway/sandbox/op"
	"cutaway/sandbox/pid1"
	"cutaway/sandbox/plan"
	"cutaway/sandbox/sys"
)

// A journal tells what must be undone if the process that writes it dies. It is
// a file of JSON lines: first the container's record, then one line for each
// operation that outlives the container's processes, each written before the
// operation is begun. The writer holds a lock on the file, so that a journal
// without one has lost its process.
type journal struct {
	path string
	file *os.File
	done []op.Undoer
}

// Record is the first line of a journal: what a container is.
type Record struct {
	Version int       `json:"version"` // of the journal's form
	ID      string    `json:"id"`
	Name    string    `json:"name,omitempty"`
	Image   string    `json:"image,omitempty"`
	Host    int       `json:"host"` // pid of the cutaway process
	Started time.Time `json:"started"`
	State   string    `json:"state"`            // where its files are
	Cgroup  bool      `json:"cgroup,omitempty"` // it has a control group
	Net     plan.Net  `json:"net"`
	Args    []string  `json:"args,omitempty"` // what runs inside; a line of its own tells it later
	PID     int       `json:"-"`              // of init, from a line of its own; 0 before it is born
	Live    bool      `json:"-"`              // its host process still runs
}

const journalVersion = 2

// line is one further line of a journal.
type line struct {
	Args []string        `json:"args,omitempty"` // the record's, where it came too early to have them
	Op   string          `json:"op,omitempty"`
	Data json.RawMessage `json:"data,omitempty"`
	PID  int             `json:"pid,omitempty"`
	Boot uint64          `json:"start,omitempty"` // start time of PID, clock ticks since boot: proc_pid_stat(5)
}

// newJournal begins the journal of a container and locks it.
func newJournal(d Dirs, r Record) (*journal, error) {
	j := &journal{path: d.Journal(r.ID)}
	if err := os.MkdirAll(filepath.Dir(j.path), 0o700); err != nil {
		return nil, fmt.Errorf("make the journal's directory: %w", err)
	}
	var err error
	// The name appears only once the lock is held: written first, then renamed.
	j.file, err = os.OpenFile(j.path+".new", os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err == nil {
		err = sys.TryLock(j.file)
	}
	if err == nil {
		err = j.write(r)
	}
	if err == nil {
		err = os.Rename(j.path+".new", j.path)
	}
	if err != nil {
		if j.file != nil {
			j.file.Close()
		}
		// What cannot be removed either, clean finds.
		_ = os.RemoveAll(filepath.Dir(j.path))
		return nil, fmt.Errorf("begin journal %s: %w", j.path, err)
	}
	return j, nil
}

func (j *journal) write(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = j.file.Write(append(b, '\n'))
	return err
}

// runs notes what runs inside, where the record was written before that was
// known.
func (j *journal) runs(args []string) error {
	if err := j.write(line{Args: args}); err != nil {
		return fmt.Errorf("write journal %s: %w", j.path, err)
	}
	return nil
}

// before notes that o is about to be done.
func (j *journal) before(o op.Undoer) error {
	data, err := json.Marshal(o)
	if err == nil {
		err = j.write(line{Op: o.Name(), Data: data})
	}
	if err != nil {
		return fmt.Errorf("write journal %s: %w", j.path, err)
	}
	j.done = append(j.done, o)
	return nil
}

// born notes init's pid, for whoever cleans up or inspects.
func (j *journal) born(pid int) error {
	start, err := startTime(pid)
	if errors.Is(err, os.ErrProcessDone) {
		return nil // the next step will say so
	}
	if err == nil {
		err = j.write(line{PID: pid, Boot: start})
	}
	if err != nil {
		return fmt.Errorf("write journal %s: %w", j.path, err)
	}
	return nil
}

// undo takes back what was done, last first, and removes the journal if all of
// it could be. Every failure is reported; none stops the rest. What other live
// containers use as well stays: the last of them has it in its own journal.
func (j *journal) undo(others []Record) error {
	var failed []error
	for n := len(j.done) - 1; n >= 0; n-- {
		if inUse(j.done[n], others) || goesAlong(j.done[n], j.done[:n]) {
			continue
		}
		if err := op.Takeback(j.done[n], &sys.Kernel{Quiet: true}); err != nil {
			failed = append(failed, err)
		}
	}
	if len(failed) == 0 {
		failed = append(failed, os.RemoveAll(filepath.Dir(j.path)))
	}
	j.file.Close()
	return errors.Join(failed...)
}

// goesAlong reports whether what o made is in a directory that one of the earlier
// operations made, and is removed with that.
func goesAlong(o op.Undoer, earlier []op.Undoer) bool {
	inner, ok := o.(op.Remover)
	return ok && slices.ContainsFunc(earlier, func(e op.Undoer) bool {
		outer, ok := e.(op.Remover)
		return ok && strings.HasPrefix(inner.Removes(), outer.Removes()+"/")
	})
}

// readJournal reads the journal of a run that may be dead. A last line cut off
// in the middle was never acted on and is passed over.
func readJournal(path string) (r Record, undo []op.Undoer, born line, err error) {
	f, err := os.Open(path)
	if err != nil {
		return r, nil, born, fmt.Errorf("open journal: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 4*pid1.MaxLong) // a record holds the whole Spec
	for n := 0; lines.Scan(); n++ {
		if n == 0 {
			if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
				return r, nil, born, fmt.Errorf("read journal %s: %w", path, err)
			}
			if r.Version < journalVersion { // an older program wrote elsewhere what it shares with others
				r.Cgroup, r.Net.Mode = true, "bridge"
			}
			continue
		}
		var l line
		if json.Unmarshal(lines.Bytes(), &l) != nil {
			continue
		}
		if len(l.Args) > 0 {
			r.Args = l.Args
			continue
		}
		if l.PID != 0 {
			born = l
			continue
		}
		if l.Op == "" { // a whole Spec, as in version 1: nothing that could be undone
			continue
		}
		o, err := op.Decode(l.Op, l.Data)
		if err != nil {
			return r, undo, born, fmt.Errorf("journal %s: %w", path, err)
		}
		undo = append(undo, o)
	}
	if alive(born) {
		r.PID = born.PID
	}
	return r, undo, born, lines.Err()
}

// alive reports whether the process that a journal names still is that process.
func alive(l line) bool {
	start, err := startTime(l.PID)
	return l.PID != 0 && err == nil && start == l.Boot
}
