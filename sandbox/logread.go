package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// LogEntry is a line that a detached container has printed, or a part of one.
type LogEntry struct {
	Time   time.Time
	Stream string // stdout or stderr
	Text   []byte // with its newline, unless it is a part
}

// NoLogError is a container whose output nobody keeps.
type NoLogError struct{ ID string }

// Error names the container.
func (e *NoLogError) Error() string { return "read the log of container " + e.ID + ": it has none" }

// Hint says which have one.
func (e *NoLogError) Hint() string {
	return "it was not started by cutaway run -d: what it prints goes to whoever started it"
}

// Log gives what a detached container has printed, as far as it is kept, to each:
// the last of it, at most tail lines, or all for a negative number. With follow it
// goes on until the container is gone or ctx ends.
func (l *Lab) Log(ctx context.Context, r Record, tail int, follow bool, each func(LogEntry) error) error {
	path := l.Dirs.Log(r.ID)
	// The current file is opened first: if it is moved away now, it is also the one
	// before, and read once.
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return &NoLogError{r.ID}
	}
	if err != nil {
		return fmt.Errorf("read the log of container %s: %w", r.ID, err)
	}
	read := &logReader{path: path, file: f}
	defer func() { read.file.Close() }()
	entries, err := before(path, f)
	if err != nil {
		return err
	}
	more, err := read.entries()
	if err != nil {
		return err
	}
	entries = append(entries, more...)
	if tail >= 0 && len(entries) > tail {
		entries = entries[len(entries)-tail:]
	}
	for {
		for _, e := range entries {
			if err := each(e); err != nil {
				return err
			}
		}
		if !follow || ctx.Err() != nil {
			return nil
		}
		if entries, err = read.wait(ctx); err != nil || entries == nil {
			return err
		}
	}
}

// before reads the file that the current one has followed, if there is one.
func before(path string, current *os.File) ([]LogEntry, error) {
	f, err := os.Open(path + ".1")
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if same(f, current) {
		return nil, nil
	}
	return (&logReader{file: f}).entries()
}

func same(a, b *os.File) bool {
	first, err := a.Stat()
	second, errSecond := b.Stat()
	return err == nil && errSecond == nil && os.SameFile(first, second)
}

// logReader reads a log that grows, and is moved away when it is full.
type logReader struct {
	path string
	file *os.File
	rest []byte // of an entry that is not whole yet
}

// entries reads those that were added.
func (l *logReader) entries() ([]LogEntry, error) {
	text, err := io.ReadAll(l.file)
	if err != nil {
		return nil, err
	}
	text = append(l.rest, text...)
	end := bytes.LastIndexByte(text, '\n') + 1
	l.rest = text[end:]
	var entries []LogEntry
	for line := range bytes.Lines(text[:end]) {
		e, err := parseEntry(line)
		if err != nil {
			return entries, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// parseEntry reads "TIME stdout F text".
func parseEntry(line []byte) (e LogEntry, err error) {
	f := bytes.SplitN(line, []byte(" "), 4)
	if len(f) < 4 {
		return e, fmt.Errorf("read a log: %q is no entry", line)
	}
	e.Stream, e.Text = string(f[1]), f[3]
	if string(f[2]) == "P" {
		e.Text = bytes.TrimSuffix(e.Text, []byte("\n"))
	}
	e.Time, err = time.Parse(time.RFC3339Nano, string(f[0]))
	return e, err
}

// wait waits for more, and gives nil when there will be none.
func (l *logReader) wait(ctx context.Context) ([]LogEntry, error) {
	journal := filepath.Join(filepath.Dir(l.path), "journal")
	for {
		// In this order: if the container is gone, or the file is another's by now,
		// nothing is added to ours, and what was is read below.
		over := !exists(journal) || abandoned(journal)
		next, nextErr := os.Open(l.path) // for a moment there may be none
		entries, err := l.entries()
		if nextErr == nil && !same(next, l.file) {
			next, l.file, l.rest = l.file, next, nil
		}
		if nextErr == nil {
			next.Close()
		}
		if len(entries) > 0 || err != nil || over {
			return entries, err
		}
		select {
		case <-ctx.Done():
			return nil, nil
		case <-time.After(50 * time.Millisecond):
		}
	}
}
