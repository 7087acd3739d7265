package trace

import (
	"os"
	"strings"

	"golang.org/x/term"
)

// TextOptions say what the terminal, file or pipe at the other end can show.
type TextOptions struct {
	Width int  // columns; 0 means 80, and less than 40 counts as 40
	Color bool // ANSI colours and weights, never the only signal
	ASCII bool // draw lines with - + | in place of box-drawing characters
}

const (
	defaultWidth = 80
	minWidth     = 40  // below this no table and no call can be laid out
	maxWidth     = 100 // lines longer than this are hard to read
)

// columns is the width to lay out for, in terminal cells.
func (o TextOptions) columns() int {
	switch {
	case o.Width <= 0:
		return defaultWidth
	case o.Width < minWidth:
		return minWidth
	}
	return o.Width
}

// Detect works out the options for f. A pipe or file is laid out for 80
// columns without colour, so that recorded output does not depend on who
// recorded it. NO_COLOR (any value but the empty one) turns colour off,
// TERM=dumb also line drawing, and so does a locale that is not UTF-8
// (locale(7): LC_ALL before LC_CTYPE before LANG).
func Detect(f *os.File) TextOptions {
	o := TextOptions{Width: defaultWidth, ASCII: !utf8Locale()}
	dumb := os.Getenv("TERM") == "dumb"
	if dumb {
		o.ASCII = true
	}
	fd := int(f.Fd())
	if !term.IsTerminal(fd) {
		return o
	}
	o.Color = os.Getenv("NO_COLOR") == "" && !dumb
	// A terminal that does not know its size reports 0 columns; keep 80 then.
	if cols, _, err := term.GetSize(fd); err == nil && cols > 0 {
		o.Width = min(cols, maxWidth)
	}
	return o
}

func utf8Locale() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := os.Getenv(name); v != "" {
			v = strings.ToLower(v)
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return false
}
