package trace

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

var decisions = map[string]Decision{
	"": Go, "n": Go, "next": Go, "b": Back, "back": Back, "s": Shell, "shell": Shell,
	"q": Quit, "quit": Quit, "?": Help, "h": Help, "help": Help,
}

const (
	keysLine = "[Enter] do it   [b]ack   [s]hell inside   [q]uit   (a key, then Enter)"
	helpText = "Enter  make these calls and show what the kernel changed\n" +
		"b      tear down, and build up again to the step before this one\n" +
		"s      a shell inside, as far as it is built; leave it with exit\n" +
		"q      tear everything down and stop"
)

// Prompter asks what to do before each step. It owns the input, because what
// is read ahead of one question belongs to the next; it reads only while a
// question is open, so that between two of them a shell can have the terminal.
type Prompter struct {
	t       *Text
	ask     chan struct{}
	answers chan answer
	open    bool // a line was asked for and has not come yet
}

type answer struct {
	line string
	err  error
}

// NewPrompter returns a Prompter that reads lines from in, a terminal or a
// pipe, and writes to w. Its one goroutine waits for Ask, until an Ask has met
// the end of the input.
func NewPrompter(in io.Reader, w io.Writer, o TextOptions) *Prompter {
	p := &Prompter{t: NewText(w, o), ask: make(chan struct{}), answers: make(chan answer, 1)}
	go p.read(bufio.NewReader(in))
	return p
}

// read reads one line for each one asked for, until the input ends. A last
// line without a newline counts; what follows it is the end.
func (p *Prompter) read(in *bufio.Reader) {
	defer close(p.answers)
	for range p.ask {
		line, err := in.ReadString('\n')
		if err == nil || errors.Is(err, io.EOF) && line != "" {
			p.answers <- answer{line: line}
			continue
		}
		p.answers <- answer{err: err}
		return
	}
}

// Ask shows the step and waits for a decision. The end of the input is Quit.
// When ctx ends first, Ask returns Quit and the cause at once.
func (p *Prompter) Ask(ctx context.Context, pv Preview) (Decision, error) {
	if err := p.t.preview(pv); err != nil {
		return Quit, err
	}
	for {
		line, err := p.line(ctx)
		if err != nil { // nobody pressed Enter
			fmt.Fprintln(p.t.w)
		}
		if errors.Is(err, io.EOF) {
			return Quit, nil
		}
		if err != nil {
			return Quit, fmt.Errorf("read answer before step %d of %s: %w", pv.Step, pv.Stage, err)
		}
		key := strings.ToLower(strings.TrimSpace(line))
		d, known := decisions[key]
		switch {
		case !known:
			err = p.t.say("", "no key "+strconv.Quote(key)+" here", keysLine)
		case d == Help:
			err = p.t.say("", helpText, keysLine)
		default:
			return d, nil
		}
		if err != nil {
			return Quit, err
		}
	}
}

// Wait lets a person read, or think, before what follows: until they press Enter,
// the input ends, or ctx does.
func (p *Prompter) Wait(ctx context.Context, why string) {
	if p.t.say("", "[Enter] "+why) != nil {
		return // nobody sees what would be waited for
	}
	if _, err := p.line(ctx); err != nil {
		fmt.Fprintln(p.t.w)
	}
}

// line waits for one line of input. If an earlier wait was given up, the line
// it asked for is still on its way, and is the one to wait for.
func (p *Prompter) line(ctx context.Context) (string, error) {
	if err := context.Cause(ctx); err != nil {
		return "", err
	}
	if !p.open {
		select {
		case p.ask <- struct{}{}:
			p.open = true
		case _, ok := <-p.answers:
			if !ok {
				return "", io.EOF // the input ended before this question
			}
		}
	}
	select {
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case a, ok := <-p.answers:
		p.open = false
		if !ok {
			return "", io.EOF
		}
		return a.line, a.err
	}
}

// ReadLine reads a line, newline included, or gives up when ctx ends: with its error,
// and in is then no good any more.
func ReadLine(ctx context.Context, in *bufio.Reader) (string, error) {
	read := make(chan answer, 1)
	go func() {
		line, err := in.ReadString('\n')
		read <- answer{line, err}
	}()
	select {
	case a := <-read:
		return a.line, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// preview renders what is about to be done, and the keys.
func (t *Text) preview(pv Preview) error {
	t.line("")
	head := fmt.Sprintf("next: step %d of %d   %s", pv.Step, pv.Of, place(cleanLine(pv.Where), pv.PID))
	t.headLine(head, "")
	calls, _ := callLines{calls: cleanCalls(pv.Calls)}.layout(t.cols - 3)
	t.lines(3, calls)
	if pv.Why != "" {
		for _, l := range wrap(nowWhy(cleanLine(pv.Why)), t.cols-3) {
			t.line("   " + t.ink.faint(l))
		}
	}
	t.byHand(clean(pv.Shell))
	if len(pv.Watch) > 0 {
		t.line("   " + t.ink.faint("from another terminal:"))
		for _, cmd := range pv.Watch {
			t.lines(5, wrapShell(clean(cmd), t.cols-5))
		}
	}
	return t.say(keysLine)
}

// say writes lines of the prompt and, as the cursor stays there, no newline
// after the last.
func (t *Text) say(texts ...string) error {
	for _, text := range texts {
		for l := range strings.SplitSeq(text, "\n") {
			t.lines(3, wrap(l, t.cols-5))
		}
	}
	block := append(bytes.TrimRight(t.out.Bytes(), "\n"), ' ')
	_, err := t.w.Write(block)
	t.out.Reset()
	if err != nil {
		return fmt.Errorf("write prompt: %w", err)
	}
	return nil
}

// nowWhy makes a sentence of a Step's reason, which may itself start with the
// word that joins: "now, before pivot_root, while ...".
func nowWhy(why string) string {
	first, _, _ := strings.Cut(why, " ")
	switch strings.Trim(first, ",") {
	case "now":
		return why
	case "before", "after", "while", "so", "until", "once", "as", "since", "because", "or", "to", "for", "only", "when", "last", "first", "with":
		return "now, " + why
	}
	return "now: " + why
}
