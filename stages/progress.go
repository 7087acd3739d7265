package stages

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// seenLine is one line of the progress file: a stage that showed what it
// promises.
type seenLine struct {
	Stage string    `json:"stage"`
	Seen  time.Time `json:"seen"`
}

// progressFile is where a person's progress is kept: below XDG_STATE_HOME, XDG
// Base Directory Specification. It is theirs, not the lab's: cutaway clean and
// --state do not touch it.
func progressFile() (string, error) {
	state := os.Getenv("XDG_STATE_HOME")
	if state == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("find a place for your progress: %w", err)
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "cutaway", "progress.jsonl"), nil
}

// Seen gives the slugs of the stages that a person has seen. Lines that cannot
// be read, or name no stage, are passed over: progress is no reason to fail.
func Seen() (map[string]bool, error) {
	seen := map[string]bool{}
	path, err := progressFile()
	if err != nil {
		return seen, err
	}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return seen, nil
	}
	if err != nil {
		return seen, fmt.Errorf("read your progress: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var l seenLine
		if json.Unmarshal(lines.Bytes(), &l) != nil {
			continue
		}
		if s, err := Find(l.Stage); err == nil {
			seen[s.Slug] = true
		}
	}
	return seen, lines.Err()
}

// Remember notes that a person has seen stage s, the first time.
func Remember(s Stage) error {
	seen, err := Seen()
	if err != nil || seen[s.Slug] {
		return err
	}
	path, err := progressFile()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("note your progress: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("note your progress: %w", err)
	}
	defer f.Close()
	if err := json.NewEncoder(f).Encode(seenLine{s.Slug, time.Now().UTC().Truncate(time.Second)}); err != nil {
		return fmt.Errorf("note your progress: %w", err)
	}
	return nil
}
