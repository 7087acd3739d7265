package stages

import (
	"io"

	"cutaway/lessons/progress"
)

// Seen gives the slugs of the stages that a person has seen.
func Seen() (map[string]bool, error) {
	entries, err := progress.All()
	return seenIn(entries), err
}

func seenIn(entries []progress.Entry) map[string]bool {
	seen := map[string]bool{}
	for _, e := range entries {
		if s, err := Find(e.Stage); err == nil {
			seen[s.Slug] = true
		}
	}
	return seen
}

// Remember notes that a person has seen stage s, the first time.
func Remember(s Stage) error {
	seen, err := Seen()
	if err != nil || seen[s.Slug] {
		return err
	}
	return progress.Note(progress.Entry{Stage: s.Slug})
}

// RememberAll notes what a progress file of another machine says was seen.
func RememberAll(file io.Reader) error {
	entries, err := progress.Read(file)
	if err != nil {
		return err
	}
	there := seenIn(entries)
	for _, s := range All {
		if there[s.Slug] {
			if err := Remember(s); err != nil {
				return err
			}
		}
	}
	return nil
}
