package trace

import (
	"fmt"

	"cutaway/sandbox/sys"
)

const (
	manyCalls = 8 // with more than this many, like calls in a row are folded
	likeCalls = 3 // when there are more of them than this
)

// callLines lays out the calls of a step as strace would print them.
type callLines struct {
	calls   []sys.Call
	op      string // shown for a step that makes no call
	results bool   // false before the calls are made
}

// layout gives the lines at most w cells wide, and whether they read well at
// that width: no call over three lines, no argument broken.
func (c callLines) layout(w int) (lines []string, fits bool) {
	if len(c.calls) == 0 {
		return split(c.op, w), width(c.op) <= w
	}
	fits = true
	for _, f := range c.folded() {
		if n := len(f.more); n > 0 {
			note := "... " + plural(n, "more such call", "more such calls")
			lines = append(lines, split(note, w)...)
			continue
		}
		ls, whole := c.one(f.Call, w)
		lines = append(lines, ls...)
		fits = fits && whole && len(ls) <= 3
	}
	return lines, fits
}

// fold is a call, or the calls like the one before that are not shown.
type fold struct {
	sys.Call
	more []sys.Call
}

// folded leaves out the middle of each long run of calls with the same name
// and the same error: forty prctl(PR_CAPBSET_DROP, ...) say no more than two.
// A call that fails among them starts a run of its own, so it always shows.
func (c callLines) folded() []fold {
	var out []fold
	for i := 0; i < len(c.calls); {
		end := i + 1
		for end < len(c.calls) && c.calls[end].Name == c.calls[i].Name &&
			c.calls[end].Errno == c.calls[i].Errno {
			end++
		}
		run := c.calls[i:end]
		if len(c.calls) > manyCalls && len(run) > likeCalls {
			out = append(out, fold{Call: run[0]}, fold{more: run[1 : len(run)-1]},
				fold{Call: run[len(run)-1]})
		} else {
			for _, call := range run {
				out = append(out, fold{Call: call})
			}
		}
		i = end
	}
	return out
}

// one lays out a call: broken after the comma between two arguments where it
// must be, going on under the first argument. whole says that no argument had
// to be broken itself.
func (c callLines) one(call sys.Call, w int) (lines []string, whole bool) {
	open, end := call.Name+"(", ")"
	if c.results {
		end += " = " + result(call)
	}
	pieces := append([]string(nil), call.Args...)
	if len(pieces) == 0 {
		pieces = []string{""}
	}
	pieces[0] = open + pieces[0]
	pieces[len(pieces)-1] += end
	indent := min(width(open), 8)
	whole = width(pieces[0]) < w
	for _, p := range pieces[1:] {
		whole = whole && width(p) < w-indent
	}
	return fill(pieces, ", ", w, indent), whole
}

// result is what follows the equals sign: the value, or -1 and the errno.
func result(c sys.Call) string {
	if c.Errno != "" {
		return "-1 " + c.Errno
	}
	return fmt.Sprint(c.Ret)
}
