package lessons

import (
	"fmt"
	"slices"
	"strings"

	"cutaway/docs"
)

// Entry is a word of the glossary.
type Entry struct {
	Words   []string // what it is called: "uid_map", "gid_map"
	Meaning string
	Where   string // where to read on: "namespaces(7)"; "" if nowhere
}

// Glossary reads docs/glossary.md, whose tables have a word, its meaning and,
// but for the project's own words, where to read on.
func Glossary() []Entry {
	var entries []Entry
	for line := range strings.Lines(docs.Glossary) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) < 2 || strings.HasPrefix(strings.TrimSpace(cells[0]), "---") || strings.TrimSpace(cells[0]) == "word" {
			continue
		}
		e := Entry{Meaning: strings.TrimSpace(cells[1])}
		for w := range strings.SplitSeq(strings.ReplaceAll(cells[0], "**", ""), ",") {
			e.Words = append(e.Words, strings.TrimSpace(w))
		}
		if len(cells) > 2 {
			e.Where = strings.TrimSpace(cells[2])
		}
		entries = append(entries, e)
	}
	return entries
}

// Explain finds a word of the glossary, whatever its case; a plural is found,
// too. The error of a word that is not there is a *NoWordError.
func Explain(word string) (Entry, error) {
	entries := Glossary()
	plain := func(s string) string { return strings.TrimSuffix(strings.ToLower(s), "s") }
	var near []string
	for _, e := range entries {
		for _, w := range e.Words {
			if plain(w) == plain(word) {
				return e, nil
			}
			if word != "" && (strings.Contains(plain(w), plain(word)) || strings.Contains(strings.ToLower(e.Meaning), strings.ToLower(word))) {
				near = append(near, w)
			}
		}
	}
	return Entry{}, &NoWordError{word, slices.Compact(near)}
}

// NoWordError is a word that the glossary does not have.
type NoWordError struct {
	Word string
	Near []string // words that have to do with it
}

func (e *NoWordError) Error() string { return fmt.Sprintf("explain %q: not in the glossary", e.Word) }

// Hint names words that come close.
func (e *NoWordError) Hint() string {
	if len(e.Near) > 0 {
		return "see " + strings.Join(e.Near, ", ")
	}
	return "cutaway explain lists all words"
}
