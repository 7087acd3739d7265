package trace

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
)

// cells measures text in terminal cells. Ambiguous characters, among them the
// box-drawing ones, count as one cell whatever the locale, as terminals do.
var cells = &runewidth.Condition{StrictEmojiNeutral: true}

func width(s string) int { return cells.StringWidth(s) }

func spaces(n int) string { return strings.Repeat(" ", max(n, 0)) }

// padTo fills s with spaces up to w cells.
func padTo(s string, w int) string { return s + spaces(w-width(s)) }

// clean makes text safe to show: what a program inside the container printed,
// or a file name in an image, must not move the cursor or retitle the window.
// Control and format characters are shown as Go writes them (\x1b, \u202e);
// tabs become spaces up to the next multiple of 8; newlines stay.
func clean(s string) string {
	var b strings.Builder
	col := 0
	for _, r := range strings.TrimRight(s, "\n") {
		switch {
		case r == '\n':
			b.WriteRune(r)
			col = 0
			continue
		case r == '\t':
			n := 8 - col%8
			b.WriteString(spaces(n))
			col += n
			continue
		case unicode.IsPrint(r):
			b.WriteRune(r)
			col += cells.RuneWidth(r)
			continue
		}
		q := strconv.QuoteRuneToGraphic(r)
		q = q[1 : len(q)-1] // without the quotes
		b.WriteString(q)
		col += width(q)
	}
	return b.String()
}

// cleanLine is clean for what must stay on one line.
func cleanLine(s string) string {
	return strings.ReplaceAll(clean(s), "\n", `\n`)
}

// wrap breaks text into lines of at most w cells: between words where that is
// possible, inside a word that is longer than a line. Newlines in the text
// are kept, so is the indentation of each line, and so are lines that fit.
func wrap(s string, w int) []string {
	var lines []string
	for para := range strings.SplitSeq(s, "\n") {
		if width(para) <= w {
			lines = append(lines, para)
			continue
		}
		words := strings.Fields(para)
		indent := spaces(min(len(para)-len(strings.TrimLeft(para, " ")), w/2))
		for _, l := range fill(words, " ", w-len(indent), 0) {
			lines = append(lines, indent+l)
		}
	}
	return lines
}

// fill puts as many pieces on a line of at most w cells as fit, with glue (" "
// or ", ") between them; lines after the first start indent cells in. A piece
// longer than a line is broken by split.
func fill(pieces []string, glue string, w, indent int) []string {
	var lines []string
	line, empty := "", true
	tail := strings.TrimRight(glue, " ")
	for i, p := range pieces {
		if i < len(pieces)-1 {
			p += tail
		}
		if !empty && width(line)+1+width(p) <= w {
			line += " " + p
			continue
		}
		if !empty {
			lines = append(lines, line)
			line = spaces(indent)
		}
		parts := []string{p}
		if width(line)+width(p) > w {
			parts = split(p, w-indent)
		}
		for _, part := range parts[:len(parts)-1] {
			lines = append(lines, line+part)
			line = spaces(indent)
		}
		line, empty = line+parts[len(parts)-1], false
	}
	if !empty {
		lines = append(lines, line)
	}
	return lines
}

// split breaks one long piece into parts of at most w cells: at a space if
// there is one after the first quarter of the line, else after one of , : / |
// in its second half, else where the line is full.
func split(s string, w int) []string {
	w = max(w, 2) // a wide character takes two
	var parts []string
	for width(s) > w {
		full, nice, space, n := 0, 0, 0, 0
		for i, r := range s {
			// The sum of the runes' widths is never less than the string's.
			n += cells.RuneWidth(r)
			if r == ' ' && n > w/4 {
				space = i
			}
			if n > w && full > 0 {
				break
			}
			full = i + utf8.RuneLen(r)
			if strings.ContainsRune(",:/|", r) && n > w/2 {
				nice = full
			}
		}
		at := full
		if space > 0 {
			at = space
		} else if nice > 0 {
			at = nice
		}
		parts = append(parts, strings.TrimRight(s[:at], " "))
		s = strings.TrimLeft(s[at:], " ")
	}
	return append(parts, s)
}

// hang puts first before the first line and as many spaces before the others.
func hang(first string, lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = spaces(width(first)) + l
	}
	if len(out) > 0 {
		out[0] = first + lines[0]
	}
	return out
}

// cut shortens s to w cells, ending in "..." when something was left out.
func cut(s string, w int) string {
	if width(s) <= w {
		return s
	}
	return strings.TrimRight(cells.Truncate(s, w, "..."), " ")
}
