// Package progress keeps what a person has done in the course: stages seen,
// lessons read, predictions made, exercises passed.
//
// Its one invariant: the file is only ever appended to, one JSON object a line,
// and a line that this version cannot read is passed over. So it survives
// upgrades in both directions, and a run that was killed costs one line at most.
package progress

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Entry is one line: something that a person did. Fields that do not belong to
// it are left out.
type Entry struct {
	Stage  string `json:"stage,omitempty"`  // slug of a stage that showed what it promises
	Lesson string `json:"lesson,omitempty"` // slug of a lesson
	Read   int    `json:"read,omitempty"`   // how many of the lesson's sections are behind
	Asked  string `json:"asked,omitempty"`  // title of the section that asked
	Answer string `json:"answer,omitempty"` // the letter chosen
	Right  bool   `json:"right,omitempty"`  // whether it was the right one

	Exercise string `json:"exercise,omitempty"` // slug of an exercise
	Did      string `json:"did,omitempty"`      // with the exercise: begun, passed, gave up

	At time.Time `json:"seen"`
}

// File is where a person's progress is kept: below XDG_STATE_HOME, XDG Base
// Directory Specification. It is theirs, not the lab's: cutaway clean and --state
// do not touch it.
func File() (string, error) {
	state := os.Getenv("XDG_STATE_HOME")
	if state == "" {
		home, err := os.UserHomeDir()
		if p := behindSudo(); p != nil {
			home, err = p.HomeDir, nil
		}
		if err != nil {
			return "", fmt.Errorf("find a place for your progress: %w", err)
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "cutaway", "progress.jsonl"), nil
}

// All gives what was noted, oldest first. Progress that is not there is none.
func All() ([]Entry, error) {
	path, err := File()
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read your progress: %w", err)
	}
	defer f.Close()
	return Read(f)
}

// Read gives the entries of a progress file.
func Read(r io.Reader) ([]Entry, error) {
	var all []Entry
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		var e Entry
		if json.Unmarshal(lines.Bytes(), &e) == nil {
			all = append(all, e)
		}
	}
	return all, lines.Err()
}

// Note appends an entry, dated now.
func Note(e Entry) error {
	e.At = time.Now().UTC().Truncate(time.Second)
	return note([]Entry{e})
}

// Merge appends what a progress file of another machine has and the one here
// has not.
func Merge(file io.Reader) error {
	there, err := Read(file)
	if err != nil {
		return fmt.Errorf("read the progress of another machine: %w", err)
	}
	here, err := All()
	if err != nil {
		return err
	}
	return note(slices.DeleteFunc(there, func(e Entry) bool { return slices.Contains(here, e) }))
}

func note(entries []Entry) error {
	var lines bytes.Buffer
	for _, e := range entries {
		// Written to memory, fields of these types cannot fail.
		_ = json.NewEncoder(&lines).Encode(e)
	}
	path, err := File()
	if err == nil && len(entries) > 0 {
		err = asPerson(func() error { return add(path, lines.Bytes()) })
	}
	if err != nil {
		return fmt.Errorf("note your progress: %w", err)
	}
	return nil
}

// add appends lines to a file, which it makes if need be.
func add(path string, lines []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(lines)
	return errors.Join(err, f.Close())
}
