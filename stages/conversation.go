package stages

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// conversation is a shell that reads commands from a pipe and answers on
// another.
type conversation struct {
	in   *os.File
	out  *bufio.Reader
	kill func() // ends a shell that does not answer
}

// patience is how long one command may take.
const patience = 30 * time.Second

// Out is what a command printed, without the last newline, and its exit status.
type Out struct {
	Text   string
	Status int
}

// Has reports whether the text contains s.
func (o Out) Has(s string) bool { return strings.Contains(o.Text, s) }

// Line gives the words of the first line that begins with prefix, nil if none
// does.
func (o Out) Line(prefix string) []string {
	for l := range strings.Lines(o.Text) {
		if strings.HasPrefix(l, prefix) {
			return strings.Fields(l)
		}
	}
	return nil
}

// lineText is Line with single spaces between the words.
func (o Out) lineText(prefix string) string { return strings.Join(o.Line(prefix), " ") }

// run has the payload's shell run a command, and reads until the mark that
// follows it.
func (c conversation) run(command string) (Out, error) {
	mark := nonce()
	timer := time.AfterFunc(patience, c.kill)
	defer timer.Stop()
	// The command runs in a subshell: whatever it does to itself, the shell that
	// reads the next command lives on.
	_, err := fmt.Fprintf(c.in, "(%s\n) 2>&1\necho \"%s $?\"\n", command, mark)
	if err != nil {
		return Out{}, fmt.Errorf("give the command to the shell inside: %w", err)
	}
	var text strings.Builder
	for {
		line, err := c.out.ReadString('\n')
		before, status, marked := strings.Cut(line, mark+" ")
		if marked {
			text.WriteString(before)
			code, err := strconv.Atoi(strings.TrimSpace(status))
			return Out{Text: strings.TrimRight(text.String(), "\n"), Status: code}, err
		}
		text.WriteString(line)
		if err != nil {
			return Out{Text: text.String()}, fmt.Errorf("the shell inside has ended: %w", err)
		}
	}
}

// nonce is a mark that no command prints by chance.
func nonce() string {
	var b [8]byte
	rand.Read(b[:]) // never fails: crypto/rand
	return "=" + hex.EncodeToString(b[:])
}
