package stages

import "cutaway/lessons/progress"

// Seen gives the slugs of the stages that a person has seen.
func Seen() (map[string]bool, error) {
	entries, err := progress.All()
	seen := map[string]bool{}
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
