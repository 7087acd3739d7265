package trace

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"cutaway/sandbox/inspect"
	"cutaway/sandbox/sys"
)

// noise makes text that is hard to lay out: long words, wide and combining
// characters, flags, control characters, newlines, quotes.
type noise struct{ *rand.Rand }

var hard = []string{"a", "bc", " ", "  ", ",", "/", ":", "-", "word", "longer-word", "\n", "\t", "界", "世界", "é",
	"e\u0301", "🇩🇪", "👩‍👩‍👧", "\x1b[31m", "\u202e", "\u00a0", "\u3000", "\x00", `"`, `'`, `\`, "│", "|",
	strings.Repeat("x", 90), strings.Repeat("漢", 50), "/proc/4242/ns/uts", "uts:[4026532301]", "\xff"}

func (n noise) text() string {
	var b strings.Builder
	for range n.IntN(30) {
		b.WriteString(hard[n.IntN(len(hard))])
	}
	return b.String()
}

func (n noise) texts() []string {
	out := make([]string, n.IntN(5))
	for i := range out {
		out[i] = n.text()
	}
	return out
}

func (n noise) detail() inspect.Detail {
	var d inspect.Detail
	for range n.IntN(5) {
		d = append(d, inspect.Field{Key: n.text(), Value: n.text()})
	}
	return d
}

func (n noise) objects() []inspect.Object {
	kinds := []inspect.Kind{inspect.UTS, inspect.Mount, inspect.Blob, inspect.Kind(n.text())}
	out := make([]inspect.Object, n.IntN(14))
	for i := range out {
		out[i] = inspect.Object{Kind: kinds[n.IntN(len(kinds))], ID: n.text(), Where: n.text(), Detail: n.detail()}
		if n.IntN(2) == 0 {
			out[i].Was = n.detail()
		}
		if n.IntN(3) == 0 { // short enough for a table
			out[i].ID, out[i].Where, out[i].Detail = "mount 512", "/proc/4242/mountinfo", n.detail()[:0]
		}
	}
	return out
}

func (n noise) calls() []sys.Call {
	out := make([]sys.Call, n.IntN(12))
	for i := range out {
		out[i] = sys.Call{Name: n.text(), Args: n.texts(), Ret: n.Int64()}
		if n.IntN(3) == 0 {
			out[i].Errno = n.text()
		}
	}
	return out
}

func (n noise) event() Event {
	names := []string{StageEvent, StepEvent, NoteEvent, PredictEvent, ProbeEvent, ExitEvent, ErrorEvent, "newer"}
	e := Event{Event: names[n.IntN(len(names))], Stage: n.text(), Step: n.IntN(200), Of: n.IntN(200),
		Where: n.text(), PID: n.IntN(1 << 22), Op: n.text(), Why: n.text(), Shell: n.text(), Calls: n.calls(),
		Created: n.objects(), Changed: n.objects(), Removed: n.objects(), Missing: []inspect.Kind{inspect.Mount},
		Unexpected: []inspect.Kind{inspect.Kind(n.text())}, Micros: n.Int64N(1 << 40),
		Title: n.text(), Belief: n.text(), SoFar: n.texts(), Lesson: n.text(), Code: n.text(), Read: n.text(), Next: n.text(),
		Done: n.IntN(2) == 0, Lacks: n.text(), Text: n.text(), Hint: n.text(),
		Cmd: n.text(), Output: n.text() + "\n" + n.text(), Expect: n.text(), Signal: n.text()}
	if n.IntN(2) == 0 {
		e.OK, e.Status = ptr(n.IntN(2) == 0), ptr(n.IntN(256))
	}
	if n.IntN(2) == 0 {
		e.Where = "init"
	}
	return e
}

// narrow fails on a line that is too wide or has what a terminal would obey.
func narrow(t *testing.T, cols int, out, from string) {
	t.Helper()
	for l := range strings.SplitSeq(out, "\n") {
		if n := width(l); n > cols {
			t.Errorf("%s: line of %d cells, not %d: %q", from, n, cols, l)
		}
		if strings.ContainsAny(l, "\x1b\u202e") {
			t.Fatalf("%s: control character in %q", from, l)
		}
	}
}

// No event, whatever is in it, makes a line wider than the terminal or lets
// through a control character.
func TestNoLineIsTooWide(t *testing.T) {
	for seed := range uint64(80) {
		n := noise{rand.New(rand.NewPCG(seed, 1))}
		for _, cols := range []int{40, 60, 80, 100} {
			e := n.event()
			o := TextOptions{Width: cols, ASCII: n.IntN(2) == 0}
			narrow(t, cols, string(rendered(t, o, []Event{e})), fmt.Sprintf("seed %d, event %s", seed, e.Event))
		}
	}
}

func TestNoOtherLineIsTooWide(t *testing.T) {
	for seed := range uint64(60) {
		n := noise{rand.New(rand.NewPCG(seed, 2))}
		o := TextOptions{Width: 40 + n.IntN(60)}
		from := fmt.Sprintf("seed %d", seed)
		var b strings.Builder
		require.NoError(t, ObjectsTable(&b, o, n.objects()))
		rows := []inspect.Row{{Kind: inspect.Kind(n.text()), Name: n.text(), A: n.text(), B: n.text()}, {Kind: inspect.UTS, Same: true}}
		require.NoError(t, PairTable(&b, o, rows, n.text(), n.text()))
		require.NoError(t, WriteSummary(&b, o, Summary{Stages: 16, Steps: 74, Kinds: 31, Lines: n.texts(),
			Probes: 20, Failed: n.IntN(2), Lacks: n.texts(), Compared: 9, Left: n.texts()}))
		require.NoError(t, NewText(&b, o).preview(Preview{Stage: n.text(), Step: 1, Of: 2, Where: n.text(),
			Why: n.text(), Calls: n.calls(), Shell: n.text(), Watch: n.texts()}))
		narrow(t, o.Width, b.String(), from)
	}
}

func TestNothingIsLostInWrapping(t *testing.T) {
	for seed := range uint64(500) {
		n := noise{rand.New(rand.NewPCG(seed, 3))}
		s := clean(n.text())
		squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
		require.Equal(t, squeeze(s), squeeze(strings.Join(wrap(s, 11), "")), "wrap %q", s)
		require.Equal(t, squeeze(s), squeeze(strings.Join(split(s, 11), "")), "split %q", s)
	}
}

func TestCallsBreakBetweenArguments(t *testing.T) {
	calls := callLines{calls: []sys.Call{{Name: "openat", Ret: -1, Errno: "ENOENT",
		Args: []string{"AT_FDCWD", `"/run/cutaway/c1/rootfs"`, "O_RDONLY|O_CLOEXEC"}}}, results: true}
	lines, fits := calls.layout(44)
	require.True(t, fits)
	require.Equal(t, []string{
		`openat(AT_FDCWD, "/run/cutaway/c1/rootfs",`,
		`       O_RDONLY|O_CLOEXEC) = -1 ENOENT`}, lines)
	_, fits = calls.layout(24)
	require.False(t, fits, "an argument of 26 cells does not fit 24")
}

func TestFailedCallIsNeverFolded(t *testing.T) {
	var calls []sys.Call
	for range 40 {
		calls = append(calls, call("prctl", 0, "PR_CAPBSET_DROP", "CAP_BPF"))
	}
	calls[20] = sys.Call{Name: "prctl", Args: []string{"PR_CAPBSET_DROP", "CAP_X"}, Ret: -1, Errno: "EINVAL"}
	lines, _ := callLines{calls: calls, results: true}.layout(77)
	require.Equal(t, []string{
		"prctl(PR_CAPBSET_DROP, CAP_BPF) = 0", "... 18 more such calls", "prctl(PR_CAPBSET_DROP, CAP_BPF) = 0",
		"prctl(PR_CAPBSET_DROP, CAP_X) = -1 EINVAL",
		"prctl(PR_CAPBSET_DROP, CAP_BPF) = 0", "... 17 more such calls", "prctl(PR_CAPBSET_DROP, CAP_BPF) = 0"}, lines)
}

func TestShellBreaksOutsideQuotes(t *testing.T) {
	require.Equal(t, []string{
		`echo 'one two three' \`,
		`  "four five" six\ seven`,
		`hostname cutaway`},
		wrapShell("echo 'one two three' \"four five\" six\\ seven\nhostname cutaway", 25))
}

func TestCleanShowsWhatATerminalWouldObey(t *testing.T) {
	require.Equal(t, `\x1b[2J red\u202e`, clean("\x1b[2J red\u202e\n"))
	require.Equal(t, "a       b\nc", clean("a\tb\nc\n\n"))
	require.Equal(t, `a\nb`, cleanLine("a\nb"))
}
