package exercises

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Exercise is one task.
type Exercise struct {
	Slug  string   `json:"-"` // stage and name: "03-uts/rename"
	Title string   `json:"title"`
	Kind  string   `json:"kind"` // do, mend, explain or write
	Task  string   `json:"-"`    // Markdown
	Hints []string `json:"-"`    // Markdown, from the first nudge on

	// Params are drawn afresh for each attempt. A value says from what: "word";
	// "number 20000 60000"; "pick 16M 24M 32M".
	Params map[string]string `json:"params"`
	// Process is the command line of the process to look at, which has a number
	// of this attempt in it: "sleep {{seconds}}".
	Process string `json:"process"`
	// Args are what the learner's program is run with, where he writes one:
	// "{{name}} sleep {{seconds}}".
	Args   string  `json:"args"`
	Checks []Check `json:"checks"`
	// Needs are flags that programs must have, where not every machine's do:
	// "unshare": "--cgroup".
	Needs map[string]string `json:"needs"`

	dir fs.FS
}

// Check is one thing that has to be so. Exactly one of Fact and Run is given;
// with Answer, what the learner wrote down is compared with it.
type Check struct {
	Want string `json:"want"` // what has to be so, as a sentence
	Fact string `json:"fact"` // "uts.nodename", see facts.go
	Run  string `json:"run"`  // a command, run inside all namespaces of the process
	// Limited says that the command is to get no more capabilities than the
	// process can: without, it has root's.
	Limited bool    `json:"limited"`
	Answer  string  `json:"answer"`
	Must    Must    `json:"must"`
	Causes  []Cause `json:"causes"` // of its failing, the first that fits is told
	Look    string  `json:"look"`   // where to read on: "man 2 sethostname"
}

// Cause is a likely reason for a check to fail: always, or if a fact or what a
// command prints is as it says.
type Cause struct {
	If   string `json:"if"`
	Run  string `json:"run"`
	Must Must   `json:"must"`
	Says string `json:"says"`
}

// Must is what a value has to be. Of its fields one is given; "{{host}}" in it
// stands for the same fact of the host, and "{{process.user}}" for another fact.
type Must struct {
	Is    *string `json:"is"`
	Not   *string `json:"not"`
	Has   string  `json:"has"`
	Lacks string  `json:"lacks"`
}

// Kinds of exercise.
var kinds = []string{"do", "mend", "explain", "write"}

// All reads the exercises that come with the program, in order.
func All() ([]Exercise, error) { return Read(files) }

// Read reads the exercises of a directory of stages: those of a stage by kind,
// what is typed before what is written.
func Read(course fs.FS) ([]Exercise, error) {
	found, err := fs.Glob(course, "*/*/exercise.json")
	if err != nil {
		return nil, err
	}
	slices.Sort(found)
	var all []Exercise
	for _, file := range found {
		e, err := read(course, path.Dir(file))
		if err != nil {
			return nil, fmt.Errorf("read exercise %s: %w", path.Dir(file), err)
		}
		all = append(all, e)
	}
	slices.SortStableFunc(all, func(a, b Exercise) int {
		return cmp.Or(cmp.Compare(a.Stage(), b.Stage()), cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)))
	})
	return all, nil
}

func read(course fs.FS, slug string) (Exercise, error) {
	e := Exercise{Slug: slug}
	dir, err := fs.Sub(course, slug)
	if err != nil {
		return e, err
	}
	e.dir = dir
	text, err := fs.ReadFile(dir, "exercise.json")
	if err != nil {
		return e, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return e, fmt.Errorf("exercise.json: %w", err)
	}
	task, taskErr := fs.ReadFile(dir, "task.md")
	hints, hintsErr := fs.ReadFile(dir, "hints.md")
	if err := errors.Join(taskErr, hintsErr); err != nil {
		return e, err
	}
	e.Task = string(task)
	for h := range strings.SplitSeq(string(hints), "\n---\n") {
		e.Hints = append(e.Hints, strings.Trim(h, "\n")) // an indented line is code
	}
	return e, e.sane()
}

// sane refuses what cannot be checked.
func (e Exercise) sane() error {
	switch {
	case e.Title == "" || !slices.Contains(kinds, e.Kind):
		return fmt.Errorf("it needs a title, and a kind of %s", strings.Join(kinds, ", "))
	case len(e.Checks) == 0:
		return errors.New("it checks nothing")
	case !strings.Contains(e.Process, "{{"):
		return errors.New("its process has no number of the attempt in its command line")
	case (e.Kind == "write") != (e.Args != ""):
		return errors.New("kind write, and no other, has args to run the learner's program with")
	}
	for _, c := range e.Checks {
		if c.Want == "" || (c.Fact == "") == (c.Run == "") {
			return fmt.Errorf("check %q: it needs a sentence, and a fact or a command", c.Want)
		}
		if n := c.Must.given(); n != 1 && c.Answer == "" {
			return fmt.Errorf("check %q: of is, not, has and lacks it gives %d", c.Want, n)
		}
		for _, cause := range c.Causes {
			always := cause.If == "" && cause.Run == ""
			if n := cause.Must.given(); cause.Says == "" || always != (n == 0) || n > 1 || cause.If != "" && cause.Run != "" {
				return fmt.Errorf("check %q: cause %q: it needs a sentence, and nothing, a fact or a command with what that must be", c.Want, cause.Says)
			}
		}
	}
	for name, from := range e.Params {
		if _, err := draw(from, 0); err != nil {
			return fmt.Errorf("parameter %s: %w", name, err)
		}
	}
	return nil
}

func (m Must) given() int {
	n := 0
	for _, given := range []bool{m.Is != nil, m.Not != nil, m.Has != "", m.Lacks != ""} {
		if given {
			n++
		}
	}
	return n
}

// Stage is the slug of the stage that the exercise belongs to.
func (e Exercise) Stage() string { return path.Dir(e.Slug) }

// Name is the slug without its stage.
func (e Exercise) Name() string { return path.Base(e.Slug) }

// UnknownError is an exercise that does not exist, or is not named clearly.
type UnknownError struct {
	Word string
	Fits []string
}

func (e *UnknownError) Error() string {
	if len(e.Fits) > 0 {
		return fmt.Sprintf("find exercise %q: it could be any of %d", e.Word, len(e.Fits))
	}
	return fmt.Sprintf("find exercise %q: there is none", e.Word)
}

// Hint says which there are.
func (e *UnknownError) Hint() string {
	if len(e.Fits) > 0 {
		return "one of " + strings.Join(e.Fits, " ")
	}
	return "cutaway exercise list shows them all"
}

// Find gives an exercise by its slug, its name, or its stage where that has one
// only.
func Find(all []Exercise, word string) (Exercise, error) {
	var fits []Exercise
	var slugs []string
	for _, e := range all {
		number, name, _ := strings.Cut(e.Stage(), "-")
		n, err := strconv.Atoi(number)
		if word == e.Slug {
			return e, nil
		}
		if word == e.Name() || word == e.Stage() || word == number || word == name || err == nil && word == strconv.Itoa(n) {
			fits, slugs = append(fits, e), append(slugs, e.Slug)
		}
	}
	if len(fits) == 1 {
		return fits[0], nil
	}
	return Exercise{}, &UnknownError{word, slugs}
}

// draw chooses a parameter; seed makes the choice, so that a test can repeat it.
func draw(from string, seed uint64) (string, error) {
	words := strings.Fields(from)
	switch {
	case len(words) == 1 && words[0] == "word":
		return adjectives[seed%uint64(len(adjectives))] + "-" + animals[seed/7%uint64(len(animals))] + strconv.FormatUint(seed/101%1000, 10), nil
	case len(words) == 3 && words[0] == "number":
		low, err := strconv.ParseUint(words[1], 10, 32)
		high, highErr := strconv.ParseUint(words[2], 10, 32)
		if err := errors.Join(err, highErr); err != nil || low > high {
			return "", fmt.Errorf("%q is no range of numbers", from)
		}
		return strconv.FormatUint(low+seed%(high-low+1), 10), nil
	case len(words) > 2 && words[0] == "pick":
		return words[1+seed%uint64(len(words)-1)], nil
	}
	return "", fmt.Errorf("%q is no word, number LOW HIGH, or pick of several", from)
}

var (
	adjectives = []string{"quiet", "brisk", "amber", "mossy", "polar", "rusty", "lucid"}
	animals    = []string{"otter", "heron", "lynx", "newt", "ibex", "stoat", "wren", "carp", "mole", "finch", "tapir"}
)

// fill puts what was drawn in the place of {{name}}.
func fill(text string, params map[string]string) string {
	for name, value := range params {
		text = strings.ReplaceAll(text, "{{"+name+"}}", value)
	}
	return text
}
