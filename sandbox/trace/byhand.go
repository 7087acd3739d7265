package trace

import "strings"

// byHand shows the step as commands of the shell.
func (t *Text) byHand(shell string) {
	if shell != "" {
		t.aside("by hand:", wrapShell(shell, t.cols-13))
	}
}

// wrapShell breaks commands at spaces outside quotes and ends each broken line
// in a backslash, so that what is copied from the screen still runs. Only a
// word longer than a line is broken without one; --script has it whole.
func wrapShell(s string, w int) []string {
	var lines []string
	for cmd := range strings.SplitSeq(s, "\n") {
		line := ""
		words := shellWords(cmd)
		for i, word := range words {
			room := w - 2 // for " \"
			if i == len(words)-1 {
				room = w
			}
			if i > 0 && width(line)+1+width(word) <= room {
				line += " " + word
				continue
			}
			if i > 0 {
				lines = append(lines, line+` \`)
				line = "  "
			}
			parts := split(word, w-4)
			for _, part := range parts[:len(parts)-1] {
				lines = append(lines, line+part)
				line = "  "
			}
			line += parts[len(parts)-1]
		}
		lines = append(lines, line)
	}
	return lines
}

// shellWords splits at spaces, but not at those inside quotes or after a
// backslash. Indentation stays with the first word.
func shellWords(s string) []string {
	var out []string
	var quote rune
	start, escaped := 0, false
	body := len(s) - len(strings.TrimLeft(s, " "))
	for i, r := range s {
		switch {
		case escaped:
			escaped = false
		case r == '\\' && quote != '\'':
			escaped = true
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '\'' || r == '"':
			quote = r
		case r == ' ' && i >= body:
			if i > start {
				out = append(out, s[start:i])
			}
			start = i + 1
		}
	}
	if start < len(s) {
		out = append(out, s[start:])
	}
	return out
}
