package lessons

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"cutaway/lessons/progress"
	"cutaway/sandbox/trace"
)

// Player takes a person through a lesson: section by section, asking before it
// shows and going on where that person stopped the last time.
type Player struct {
	In      *bufio.Reader
	Out     io.Writer
	Options trace.TextOptions
	Height  int // lines of the terminal: longer texts come in pieces; 0 for any
	// Stage plays a stage, step by step if pause is set.
	Stage func(ctx context.Context, stage string, pause bool) error
	// Note keeps what was done.
	Note func(progress.Entry) error
}

// ErrStopped says that the person wants to go on another time.
var ErrStopped = errors.New("stopped at the reader's wish")

// The titles of the two sections that belong together: the second asks what the
// first has asked, and only then is the answer told.
const prediction, observation = "Prediction", "What did you see?"

// Resume gives the number of the section to go on with: 0 for a lesson that was
// never begun, or is behind.
func Resume(l Lesson, done []progress.Entry) int {
	at := 0
	for _, e := range done {
		if e.Lesson == l.Slug && e.Read > 0 {
			at = e.Read
		}
	}
	if at >= len(l.Sections) {
		return 0
	}
	return at
}

// Progress says in a few words how far a person has come with a lesson.
func (l Lesson) Progress(done []progress.Entry) string {
	most := 0
	for _, e := range done {
		if e.Lesson == l.Slug {
			most = max(most, e.Read)
		}
	}
	switch {
	case most == 0:
		return ""
	case most >= len(l.Sections):
		return "done"
	}
	return fmt.Sprintf("%d of %d", most, len(l.Sections))
}

// predicted gives the letter that was chosen last in the lesson's prediction.
func predicted(l Lesson, done []progress.Entry) string {
	letter := ""
	for _, e := range done {
		if e.Lesson == l.Slug && e.Asked == prediction {
			letter = e.Answer
		}
	}
	return letter
}

// Play plays the lesson from its section number from on. The error is
// ErrStopped, or what went wrong.
func (p *Player) Play(ctx context.Context, l Lesson, from int, done []progress.Entry) error {
	p.say("\n %s  %s\n", p.Options.Bold(l.Slug), p.Options.Bold(l.Title))
	p.say(" %s\n", p.Options.Faint(fmt.Sprintf("%d sections, about %d minutes; q stops, and the next time goes on there", len(l.Sections), l.Minutes)))
	if from > 0 {
		p.say("\n going on with section %d of %d\n", from+1, len(l.Sections))
	}
	before := predicted(l, done)
	for n, s := range l.Sections[from:] {
		n += from
		if err := p.show(ctx, "\n "+p.Options.Bold(fmt.Sprintf("%d  %s", n+1, s.Title))+"\n\n"+Text(s.Text, p.Options)); err != nil {
			return err
		}
		if s.Choice != nil {
			letter, err := p.ask(ctx, *s.Choice)
			if err != nil {
				return err
			}
			right := letter == s.Choice.Letter(s.Choice.Right)
			if err := p.Note(progress.Entry{Lesson: l.Slug, Asked: s.Title, Answer: letter, Right: right}); err != nil {
				return err
			}
			p.answer(l, s, letter, before)
			if s.Title == prediction {
				before = letter
			}
		}
		if s.Play != "" {
			if err := p.stage(ctx, s.Play); err != nil {
				return err
			}
		}
		if err := p.Note(progress.Entry{Lesson: l.Slug, Read: n + 1}); err != nil {
			return err
		}
		if s.Choice == nil && s.Play == "" && n+1 < len(l.Sections) {
			if _, err := p.key(ctx, "[Enter] go on   [q]uit", "", "q"); err != nil {
				return err
			}
		}
	}
	return nil
}

// say writes to a person; one who is not there any more ends the input as well.
func (p *Player) say(format string, args ...any) { _, _ = fmt.Fprintf(p.Out, format, args...) }

// show writes a text in pieces that fit on the terminal above a question, cut
// between paragraphs if that leaves half a screen.
func (p *Player) show(ctx context.Context, text string) error {
	lines := slices.Collect(strings.Lines(text))
	for room := p.Height - 3; p.Height > 0 && len(lines) > room; {
		at := room
		for at > room/2 && strings.TrimSpace(lines[at]) != "" {
			at--
		}
		if at <= room/2 {
			at = room
		}
		p.say("%s", strings.Join(lines[:at], ""))
		if _, err := p.key(ctx, "[Enter] more   [q]uit", "", "q"); err != nil {
			return err
		}
		lines = lines[at:]
	}
	p.say("%s", strings.Join(lines, ""))
	return nil
}

// ask shows a choice until one of its letters comes.
func (p *Player) ask(ctx context.Context, c Choice) (string, error) {
	p.say("\n")
	var letters []string
	for n, o := range c.Options {
		letters = append(letters, c.Letter(n))
		p.say("%s", Text([]byte("- "+c.Letter(n)+") "+o), p.Options))
	}
	return p.key(ctx, "your answer, "+strings.Join(letters, " ")+"   [q]uit", append(letters, "q")...)
}

// answer says what there is to say after an answer: nothing yet to a prediction,
// which the run answers.
func (p *Player) answer(l Lesson, s Section, letter, before string) {
	c := *s.Choice
	is := c.Letter(c.Right)
	if s.Title == prediction {
		p.say("%s", Text([]byte("Noted: "+letter+"). Now let the kernel answer."), p.Options))
		return
	}
	verdict := "Yes: "
	if letter != is {
		verdict = "No, look again: it is "
	}
	p.say("%s", Text([]byte(verdict+c.full(is)), p.Options))
	if s.Title != observation || before == "" {
		return
	}
	for _, earlier := range l.Sections {
		if earlier.Title != prediction || earlier.Choice == nil {
			continue
		}
		was := *earlier.Choice
		text := "You predicted " + was.full(before) + ". "
		if before == was.Letter(was.Right) {
			text += "That is what happened."
		} else {
			text += "What happened: " + was.full(was.Letter(was.Right)) + "."
		}
		p.say("%s", Text([]byte(text), p.Options))
	}
}

// stage plays what the section is about.
func (p *Player) stage(ctx context.Context, stage string) error {
	p.say("\n   cutaway stage %s\n", stage)
	k, err := p.key(ctx, "[Enter] step by step   [a]ll at once   [s]kip   [q]uit", "", "a", "s", "q")
	if err != nil || k == "s" {
		return err
	}
	return p.Stage(ctx, stage, k == "")
}

// key waits for one of the keys, each a word and then Enter; q is ErrStopped, and
// so is the end of the input; that of ctx is its own.
func (p *Player) key(ctx context.Context, prompt string, keys ...string) (string, error) {
	for {
		p.say("\n   %s ", p.Options.Faint(prompt))
		line, err := trace.ReadLine(ctx, p.In)
		k := strings.ToLower(strings.TrimSpace(line))
		switch {
		case ctx.Err() != nil:
			p.say("\n")
			return "", ctx.Err()
		case err != nil && k == "", k == "q":
			p.say("\n")
			return "", ErrStopped
		case slices.Contains(keys, k):
			return k, nil
		}
		p.say("   %q is none of them\n", k)
	}
}
