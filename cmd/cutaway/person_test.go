package main

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/creack/pty"
	"github.com/rogpeppe/go-internal/testscript"
)

// patienceOfTests is how long a person of a script waits for what they expect.
const patienceOfTests = 10 * time.Second

// atTerminal runs a program on a terminal, as somebody would: person FILE program
// args... The file has a line for each thing they do: "see TEXT" waits until
// that is on the screen below what was seen before, "type TEXT" types a line,
// "press ^C" a key.
func atTerminal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: person FILE program args...")
	}
	cmd := exec.Command(args[1], args[2:]...)
	for _, name := range []string{"PATH", "HOME", "CUTAWAY_STATE", "XDG_STATE_HOME", "XDG_CACHE_HOME", "LC_ALL"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	cmd.Env = append(cmd.Env, "TERM=xterm", "NO_COLOR=1")
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	ts.Check(err)
	s := &screen{changed: make(chan struct{}, 1)}
	go s.read(terminal)
	failed := s.follow(terminal, ts.ReadFile(args[0]))
	if failed != "" {
		// Whatever it is doing, it is to clean up.
		_ = cmd.Process.Signal(syscall.SIGTERM)
	}
	time.AfterFunc(patienceOfTests, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })
	err = cmd.Wait()
	terminal.Close()
	_, _ = ts.Stdout().Write([]byte(strings.ReplaceAll(s.all(), "\r", "")))
	if failed != "" {
		ts.Fatalf("%s; the screen:\n%s", failed, s.all())
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		ts.Fatalf("exit status %d; the screen:\n%s", exit.ExitCode(), s.all())
	}
	ts.Check(err)
}

// screen is what a terminal has shown.
type screen struct {
	mu      sync.Mutex
	text    bytes.Buffer
	seen    int // bytes of text
	changed chan struct{}
}

func (s *screen) read(terminal io.Reader) {
	b := make([]byte, 4096)
	for {
		n, err := terminal.Read(b)
		s.mu.Lock()
		s.text.Write(b[:n])
		s.mu.Unlock()
		select {
		case s.changed <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

func (s *screen) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// follow does what the lines say, and tells what it waited for in vain.
func (s *screen) follow(terminal io.Writer, lines string) string {
	for line := range strings.Lines(lines) {
		verb, text, _ := strings.Cut(strings.TrimRight(line, "\n"), " ")
		switch verb {
		case "see":
			if !s.see(text) {
				return "did not see " + text
			}
		case "type":
			_, _ = io.WriteString(terminal, text+"\r")
		case "press":
			_, _ = terminal.Write([]byte{text[1] & 0x1f})
		}
	}
	return ""
}

// see waits for text below what was seen before.
func (s *screen) see(text string) bool {
	late := time.After(patienceOfTests)
	for {
		s.mu.Lock()
		i := bytes.Index(s.text.Bytes()[s.seen:], []byte(text))
		if i >= 0 {
			s.seen += i + len(text)
		}
		s.mu.Unlock()
		if i >= 0 {
			return true
		}
		select {
		case <-s.changed:
		case <-late:
			return false
		}
	}
}
