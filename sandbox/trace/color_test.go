package trace

import (
	"os"
	"regexp"
	"testing"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
)

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

// Colour adds escapes and nothing else: without it no word, mark or column is
// missing.
func TestColorIsNeverTheOnlySignal(t *testing.T) {
	for _, s := range scenes() {
		plain := rendered(t, TextOptions{}, s.events)
		painted := rendered(t, TextOptions{Color: true}, s.events)
		require.Contains(t, string(painted), "\x1b[", s.name)
		require.Equal(t, string(plain), trimLines(escapes.ReplaceAllString(string(painted), "")), s.name)
		require.NotContains(t, string(plain), "\x1b", s.name)
	}
}

// trimLines drops spaces at the ends of lines: painted ones are not trimmed.
func trimLines(s string) string {
	return regexp.MustCompile(` +\n`).ReplaceAllString(s, "\n")
}

func TestDetectOnAPipe(t *testing.T) {
	t.Setenv("TERM", "xterm-256color")
	t.Setenv("NO_COLOR", "")
	t.Setenv("LC_ALL", "en_US.UTF-8")
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	defer w.Close()
	require.Equal(t, TextOptions{Width: 80}, Detect(w))
}

func TestDetectOnATerminal(t *testing.T) {
	terminal, tty, err := pty.Open()
	require.NoError(t, err)
	defer terminal.Close()
	defer tty.Close()
	for _, c := range []struct {
		name, term, noColor, lcAll, lang string
		cols                             uint16
		want                             TextOptions
	}{
		{"colour", "xterm", "", "", "C.UTF-8", 72, TextOptions{Width: 72, Color: true}},
		{"NO_COLOR", "xterm", "1", "", "de_DE.utf8", 80, TextOptions{Width: 80}},
		{"dumb", "dumb", "", "", "C.UTF-8", 80, TextOptions{Width: 80, ASCII: true}},
		{"LC_ALL wins", "xterm", "", "POSIX", "C.UTF-8", 80, TextOptions{Width: 80, Color: true, ASCII: true}},
		{"very wide", "xterm", "", "", "C.UTF-8", 300, TextOptions{Width: 100, Color: true}},
		{"size unknown", "xterm", "", "", "C.UTF-8", 0, TextOptions{Width: 80, Color: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("TERM", c.term)
			t.Setenv("NO_COLOR", c.noColor)
			t.Setenv("LC_ALL", c.lcAll)
			t.Setenv("LC_CTYPE", "")
			t.Setenv("LANG", c.lang)
			require.NoError(t, pty.Setsize(terminal, &pty.Winsize{Rows: 24, Cols: c.cols}))
			require.Equal(t, c.want, Detect(tty))
		})
	}
}
