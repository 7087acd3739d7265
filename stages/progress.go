package stages

import "cutaway/lessons/progress"

// Seen gives the slugs of the stages that a person has seen.
func Seen() (map[string]bool, error) {
	seen := map[string]bool{}
	entries, err := progress.All()
	for _, e := range entries {
		if s, err := Find(e.Stage); err == nil {
			seen[s.Slug] = true
		}
	}
	return seen, err
}

// Remember notes that a person has seen stage s, the first time.
func Remember(s Stage) error {
	seen, err := Seen()
	if err != nil || seen[s.Slug] {
		return err
	}
	return progress.Note(progress.Entry{Stage: s.Slug})
}
