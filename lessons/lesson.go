package lessons

import (
	"bytes"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Lesson is one text of the course.
type Lesson struct {
	Slug     string // number and name, that of its stage: "03-uts"
	Title    string
	Minutes  int // how long it takes a learner
	Sections []Section
}

// Section is a part of a lesson: what stands below one heading.
type Section struct {
	Title  string
	Text   []byte  // Markdown, without heading, choice and directives
	Choice *Choice // what it asks, after its text; nil if nothing
	Play   string  // the stage that is played after its text, "" if none
	Notes  string  // for whoever teaches it: comments "note: ..." in the source
}

// Choice is a question with one right answer among a few.
type Choice struct {
	Options []string
	Right   int // index
}

// Letter names an option.
func (c Choice) Letter(n int) string { return string(rune('a' + n)) }

// full gives an option with its letter.
func (c Choice) full(letter string) string {
	for n, o := range c.Options {
		if c.Letter(n) == letter {
			return letter + ") " + o
		}
	}
	return letter + ")"
}

// Shape is what a lesson of a stage consists of, in this order. The lessons
// beside the stages have a shape of their own.
var Shape = []string{"Question", "Prediction", "Run", "What did you see?", "Explanation",
	"The code", "In the real world", "The wrong belief", "Exercise"}

// SyntaxError is a lesson that cannot be read.
type SyntaxError struct {
	File string
	Line int
	Fact string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("read lesson %s, line %d: %s", e.File, e.Line, e.Fact)
}

// UnknownError is a lesson that does not exist.
type UnknownError struct {
	Word string
	have []Lesson
}

func (e *UnknownError) Error() string { return fmt.Sprintf("find lesson %q: there is none", e.Word) }

// Hint lists the lessons.
func (e *UnknownError) Hint() string {
	var slugs []string
	for _, l := range e.have {
		slugs = append(slugs, l.Slug)
	}
	return "the lessons are " + strings.Join(slugs, " ")
}

// Course is a set of lessons, in order.
type Course []Lesson

// BuiltIn is the course that comes with the program.
func BuiltIn() (Course, error) { return Read(files) }

// Read reads all lessons of a directory: its .md files whose names begin with a
// number. It returns a *SyntaxError for the first that is none.
func Read(dir fs.FS) (Course, error) {
	names, err := fs.Glob(dir, "[0-9]*.md")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var course Course
	for _, name := range names {
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, fmt.Errorf("read lesson: %w", err)
		}
		l, err := parse(name, text)
		if err != nil {
			return nil, err
		}
		course = append(course, l)
	}
	return course, nil
}

// Find gives a lesson by its number (3 or 03), its name (uts) or its slug.
func (c Course) Find(word string) (Lesson, error) {
	for _, l := range c {
		number, name, _ := strings.Cut(l.Slug, "-")
		n, err := strconv.Atoi(number)
		if word == l.Slug || word == name || word == number || err == nil && word == strconv.Itoa(n) {
			return l, nil
		}
	}
	return Lesson{}, &UnknownError{word, c}
}

// What in a lesson is not for reading: <!-- word: value -->, alone on a line.
var directive = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^<!-- (minutes|play|note): (.*) -->$`)
})

// option is one answer of a choice, a task list in Markdown: the right one is
// ticked.
var option = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^- \[([ x])\] (.+)$`) })

// parse reads one lesson.
func parse(file string, text []byte) (Lesson, error) {
	l := Lesson{Slug: strings.TrimSuffix(filepath.Base(file), ".md")}
	bad := func(n int, format string, args ...any) (Lesson, error) {
		return l, &SyntaxError{file, n + 1, fmt.Sprintf(format, args...)}
	}
	fenced := false
	for n, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		title, isTitle := strings.CutPrefix(line, "# ")
		section, isSection := strings.CutPrefix(line, "## ")
		switch m := directive().FindStringSubmatch(line); {
		case fenced:
		case isTitle && l.Title == "":
			l.Title = title
			continue
		case isTitle:
			return bad(n, "a second title; its sections begin with ##")
		case isSection:
			l.Sections = append(l.Sections, Section{Title: section})
			continue
		case m != nil && m[1] == "minutes":
			var err error
			if l.Minutes, err = strconv.Atoi(m[2]); err != nil {
				return bad(n, "minutes: %q is no number", m[2])
			}
			continue
		case len(l.Sections) > 0 && l.now().take(line, m):
			continue
		}
		if len(l.Sections) == 0 {
			if strings.TrimSpace(line) != "" {
				return bad(n, "text before the first section")
			}
			continue
		}
		s := l.now()
		s.Text = append(append(s.Text, line...), '\n')
	}
	for i := range l.Sections {
		s := &l.Sections[i]
		s.Text = bytes.TrimSpace(s.Text)
		if s.Choice != nil && (s.Choice.Right < 0 || len(s.Choice.Options) < 2) {
			return bad(0, "section %q: a choice has two answers or more, and one of them ticked", s.Title)
		}
	}
	if l.Title == "" || len(l.Sections) == 0 {
		return bad(0, "a lesson has a title (# ...) and sections (## ...)")
	}
	return l, nil
}

// now is the section being read.
func (l *Lesson) now() *Section { return &l.Sections[len(l.Sections)-1] }

// take reads what is not text: a directive, or one answer of a choice.
func (s *Section) take(line string, d []string) bool {
	switch {
	case d != nil && d[1] == "play":
		s.Play = strings.TrimPrefix(d[2], "stage ")
		return true
	case d != nil && d[1] == "note":
		s.Notes = strings.TrimSpace(s.Notes + "\n" + d[2])
		return true
	}
	m := option().FindStringSubmatch(line)
	if m == nil {
		return false
	}
	if s.Choice == nil {
		s.Choice = &Choice{Right: -1}
	}
	if m[1] == "x" {
		s.Choice.Right = len(s.Choice.Options)
	}
	s.Choice.Options = append(s.Choice.Options, m[2])
	return true
}

// Words counts the words of a lesson, without what it quotes of a program's
// output.
func (l Lesson) Words() int {
	n := 0
	for _, s := range l.Sections {
		fenced := false
		for line := range strings.Lines(string(s.Text)) {
			if strings.HasPrefix(line, "```") {
				fenced = !fenced
			} else if !fenced && !strings.HasPrefix(line, "<!--") {
				n += len(strings.Fields(line))
			}
		}
		if s.Choice != nil {
			n += len(strings.Fields(strings.Join(s.Choice.Options, " ")))
		}
	}
	return n
}

// Markdown gives the lesson for reading and printing: the choices without their
// answers, which follow at the end.
func (l Lesson) Markdown() []byte {
	var b, answers bytes.Buffer
	fmt.Fprintf(&b, "# %s\n\n%d minutes.\n", l.Title, l.Minutes)
	for _, s := range l.Sections {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", s.Title, s.Text)
		if s.Choice != nil {
			b.WriteByte('\n')
			for n, o := range s.Choice.Options {
				fmt.Fprintf(&b, "- %s) %s\n", s.Choice.Letter(n), o)
			}
			fmt.Fprintf(&answers, "- %s: %s) %s\n", s.Title, s.Choice.Letter(s.Choice.Right), s.Choice.Options[s.Choice.Right])
		}
		if s.Play != "" {
			fmt.Fprintf(&b, "\n    cutaway stage %s\n", s.Play)
		}
	}
	if answers.Len() > 0 {
		fmt.Fprintf(&b, "\n## Answers\n\n%s", answers.Bytes())
	}
	return b.Bytes()
}
