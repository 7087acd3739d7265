package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"cutaway/sandbox/image/store"
	"cutaway/sandbox/op"
	"cutaway/sandbox/plan"
	"cutaway/sandbox/sys"
)

// Clean opens the lab only to clean it: New would do so without a word.
func Clean(state string) ([]string, error) {
	l, err := open(state)
	if err != nil {
		return nil, err
	}
	return l.Clean()
}

// Clean undoes what runs that were killed have left: first what their journals
// say, then whatever else carries the lab's name and belongs to no live
// container, and what is half done in the store of images. It returns a line for
// each thing it undid.
func (l *Lab) Clean() ([]string, error) {
	undone, err := l.cleanJournals()
	swept, sweepErr := l.abandonedPlaces()
	rest, restErr := l.sweep()
	swept, sweepErr = append(swept, rest...), errors.Join(sweepErr, restErr)
	half, storeErr := store.Sweep(l.Dirs.Images())
	for _, path := range half {
		swept = append(swept, "half done "+path)
	}
	return append(undone, swept...), errors.Join(err, sweepErr, storeErr)
}

// comparePrefix begins the name of the place of a comparison.
const comparePrefix = "compare-"

// abandonedPlaces removes what comparisons that were killed have left: other
// programs made it for them.
func (l *Lab) abandonedPlaces() (swept []string, err error) {
	err = l.Locked(func() error {
		swept, err = sweepPlaces(l.Dirs.Container(""), comparePrefix)
		return err
	})
	for i := range swept {
		swept[i] = "comparison " + swept[i]
	}
	return swept, err
}

// heldPlace reports whether a name has that of a comparison in it which still runs.
func (l *Lab) heldPlace(name string) bool {
	places, err := filepath.Glob(l.Dirs.Container(comparePrefix + "*"))
	return err != nil || slices.ContainsFunc(places, func(dir string) bool {
		return strings.Contains(name, filepath.Base(dir)) && !abandoned(dir)
	})
}

// abandoned reports whether the process that made a journal or a directory is
// gone: its lock is free.
func abandoned(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return sys.TryLock(f) == nil
}

// dying waits for the lock of a journal whose process is gone: a child of its
// that is just being born has the file open as well, until it has executed init's
// program, and flock(2) goes with the last copy.
func dying(path string) bool {
	r, _, _, err := readJournal(path)
	if err != nil {
		return false
	}
	if _, err := startTime(r.Host); err == nil {
		return false
	}
	for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if abandoned(path) {
			return true
		}
	}
	return false
}

// cleanJournals undoes every abandoned journal.
func (l *Lab) cleanJournals() ([]string, error) {
	paths, err := l.Dirs.journals()
	if err != nil || len(paths) == 0 {
		return nil, err
	}
	var (
		undone []string
		failed []error
	)
	err = l.Locked(func() error {
		for _, path := range paths {
			if !abandoned(path) && !dying(path) {
				continue
			}
			what, err := l.cleanJournal(path)
			undone = append(undone, what...)
			if err != nil {
				failed = append(failed, err)
			}
		}
		return nil
	})
	return undone, errors.Join(append(failed, err)...)
}

// cleanJournal ends what is left of one container and undoes what it did.
func (l *Lab) cleanJournal(path string) ([]string, error) {
	id := filepath.Base(filepath.Dir(path))
	record, undo, _, err := readJournal(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var undone []string
	if err != nil { // not readable any more: the sweep finds what carries the id
		undone = append(undone, fmt.Sprintf("container %s: its journal cannot be read (%v)", id, err))
	} else {
		undone = append(undone, fmt.Sprintf("container %s, whose cutaway (pid %d) is gone", id, record.Host))
	}
	if err := endInit(record.PID); err != nil {
		return undone, err
	}
	if err := endStrays(id); err != nil {
		return undone, err
	}
	others, err := l.others(id)
	if err != nil {
		return undone, err
	}
	j := journal{path: path, done: undo}
	return undone, j.undo(others)
}

// endInit kills an init that outlived its host process. By the parent-death
// signal it should not have.
func endInit(pid int) error {
	if pid == 0 {
		return nil
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		return nil // ended
	}
	defer p.Release()
	if err := p.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end process %d: %w", pid, err)
	}
	return nil
}

// sweep removes what carries the lab's name without a journal that speaks of it:
// the rest of a journal that was lost.
func (l *Lab) sweep() ([]string, error) {
	var (
		swept  []string
		failed []error
	)
	err := l.Locked(func() error {
		records, err := l.Records()
		if err != nil {
			records = nil
		}
		live := func(name string) bool {
			return slices.ContainsFunc(records, func(r Record) bool { return strings.Contains(name, r.ID) })
		}
		others, othersErr := l.others("")
		for _, o := range l.orphans(live) {
			if inUse(o.undo, others) {
				continue
			}
			if err := op.Takeback(o.undo, &sys.Kernel{Quiet: true}); err != nil {
				failed = append(failed, err)
				continue
			}
			if o.left == "" || !exists(o.left) { // what is in use by others stays
				swept = append(swept, o.what)
			}
		}
		return errors.Join(err, othersErr)
	})
	return swept, errors.Join(append(failed, err)...)
}

// orphan is something of the lab's that no journal knows.
type orphan struct {
	what string
	undo op.Undoer
	left string // path that is gone once it is undone
}

// orphans finds them by their names, what depends on others first.
func (l *Lab) orphans(live func(string) bool) []orphan {
	var found []orphan
	dirs := func(pattern, what string, undo func(string) op.Undoer) {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return
		}
		for _, path := range paths {
			if st, err := os.Stat(path); err == nil && st.IsDir() && !live(filepath.Base(path)) && abandoned(path) && !l.heldPlace(path) {
				found = append(found, orphan{what + " " + path, undo(path), path})
			}
		}
	}
	hierarchies := l.Features.Cgroup.Hierarchies()
	if !l.Features.Root() { // an ordinary user's containers have no group
		hierarchies = nil
	}
	for _, hierarchy := range hierarchies {
		dirs(filepath.Join(hierarchy, "cutaway", "*"), "control group", func(p string) op.Undoer { return op.CgroupCreate{Dirs: []string{p}} })
		dirs(filepath.Join(hierarchy, "cutaway"), "control group", func(p string) op.Undoer { return op.CgroupCreate{Dirs: []string{p}, Shared: true} })
	}
	if l.Features.Root() {
		for _, mount := range l.Features.Cgroup.Mounts { // those of containers that others made for comparison
			group := func(p string) op.Undoer { return op.CgroupCreate{Dirs: []string{p}} }
			dirs(filepath.Join(mount, "cutaway-runc-*"), "control group", group)
			dirs(filepath.Join(mount, "cutaway-"+comparePrefix+"*"), "control group", group)
		}
	}
	found = append(found, l.networkOrphans(live)...)
	dirs(l.Dirs.Container("*"), "directory", func(p string) op.Undoer { return op.Dir{Path: p} })
	dirs(filepath.Join(l.Dirs.Run, "*"), "directory", func(p string) op.Undoer { return op.Dir{Path: p} })
	return found
}

// networkOrphans finds links and tables by their names.
func (l *Lab) networkOrphans(live func(string) bool) []orphan {
	if !l.Features.Root() {
		return nil
	}
	var found []orphan
	links, bridges, tables := op.Named("cutaway")
	for _, name := range tables {
		if !live(name) {
			found = append(found, orphan{"nftables table " + name, op.Nft{Table: name}, ""})
		}
	}
	for _, name := range links {
		if !live(name) {
			found = append(found, orphan{"link " + name, op.Veth{Host: name}, ""})
		}
	}
	for _, name := range bridges {
		found = append(found, orphan{"bridge " + name, op.Bridge{Link: name}, ""})
	}
	return append(found, savedSysctls(l.Dirs.Run)...)
}

// savedSysctls finds the settings from before the lab that wait to be restored.
func savedSysctls(run string) []orphan {
	files, err := filepath.Glob(filepath.Join(run, plan.SavedPrefix+"*"))
	if err != nil {
		return nil
	}
	var found []orphan
	for _, file := range files {
		key := strings.TrimPrefix(filepath.Base(file), plan.SavedPrefix)
		found = append(found, orphan{"setting " + key, op.Sysctl{Key: key, Saved: file, Unless: bridgeName}, ""})
	}
	return found
}

// exists reports whether something still has this name.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
