package overhead

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/quick"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
)

// invented is a result with samples of every measure, times factor, for what only
// draws.
func invented(factor float64) *Result {
	r := newResult(Options{Passes: 2, Rounds: 10, Boots: 1})
	r.Conditions.Date = time.Unix(0, 0)
	random := rand.New(rand.NewPCG(1, 1))
	for _, e := range []Entry{{"process", Process, "a <process>", "1"}, {"cutaway", Container, "c", ""}, {"microVM", Machine, "m", ""}} {
		r.Contenders = append(r.Contenders, e)
		for _, m := range Measures() {
			s := &Series{Measure: m.Key, Subject: e.Name, Kind: e.Kind}
			for i := range 20 {
				s.Samples = append(s.Samples, Sample{Value: factor * math.Exp(random.NormFloat64()), Pass: i / 10})
			}
			r.Series = append(r.Series, s)
		}
	}
	r.miss("docker", "<b>no</b> daemon")
	return r
}

// parsed reads a page as a browser would, and counts its elements.
func parsed(t *testing.T, page string) map[string]int {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	count := map[string]int{}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		count[n.Data]++
		for _, a := range n.Attr {
			require.NotContains(t, []string{"src", "href", "onclick"}, a.Key, "the page needs nothing else")
			require.NotEqual(t, "style", a.Key, "its policy forbids that")
		}
	}
	return count
}

// The page has a picture of each measure with a dot for each sample, and says what
// it means and what it does not show.
func TestPage(t *testing.T) {
	r := invented(1)
	var b bytes.Buffer
	require.NoError(t, r.Page(&b))
	count := parsed(t, b.String())
	require.Equal(t, len(Measures()), count["svg"])
	require.Equal(t, len(Measures())*3*20, count["circle"])
	require.Zero(t, count["script"])
	require.Zero(t, count["b"], "what a tool has said is text")
	for _, m := range Measures() {
		require.Contains(t, b.String(), `id="`+m.Key+`"`)
	}
	require.Equal(t, len(Measures()), strings.Count(b.String(), "What it does not show."))
	require.Contains(t, b.String(), "prefers-color-scheme: dark")
}

// Two results are on one page and in one table, and the measures that agree are
// counted.
func TestTogether(t *testing.T) {
	a, b := invented(1), invented(1)
	same := Beside(a, b, [2]string{"a.json", "b.json"})
	require.Equal(t, [2]int{len(same.Pairs), len(same.Pairs)}, [2]int{same.Agree, same.Of}, "the same samples agree")
	far := Beside(a, invented(100), [2]string{"a.json", "b.json"})
	require.Zero(t, far.Agree)
	b.Series[1].Samples = b.Series[1].Samples[:4]
	require.Equal(t, len(same.Pairs)-1, Beside(a, b, [2]string{"a", "b"}).Of, "four runs have no interval")
	b.Series = b.Series[1:]
	require.Equal(t, []string{"start.first of process"}, Beside(a, b, [2]string{"a", "b"}).OnlyOne)

	var page, table bytes.Buffer
	require.NoError(t, far.Page(&page))
	require.Equal(t, 2*len(Measures())*3*20, parsed(t, page.String())["circle"])
	require.NoError(t, far.Table(&table))
	require.Contains(t, table.String(), "0 of "+number(float64(len(far.Pairs)))+" agree")
	narrow(t, table.String())
	table.Reset()
	require.NoError(t, a.Table(&table))
	narrow(t, table.String())
}

// narrow wants lines of at most 80 columns.
func narrow(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		require.LessOrEqual(t, utf8.RuneCountInString(strings.TrimRight(line, "\n")), 80, "%q", line)
	}
}

// Whatever is measured, every mark lies within the axis, and marks are in the
// order of the values.
func TestAxis(t *testing.T) {
	require.NoError(t, quick.Check(func(x, y float64, positive bool) bool {
		x, y = math.Mod(x, 1e9), math.Mod(y, 1e9)
		if positive {
			x, y = math.Abs(x)+1e-6, math.Abs(y)+1e-6
		}
		x, y = min(x, y), max(x, y)
		a := axisFor(x, y)
		for _, v := range []float64{x, y, (x + y) / 2} {
			if at := a.at(v); at < plotLeft-0.1 || at > plotRight+0.1 {
				return false
			}
		}
		ticks := a.ticks()
		return a.at(x) <= a.at(y) && len(ticks) >= 1 && len(ticks) < 20
	}, &quick.Config{MaxCount: 2000}))
}

// The live view fits a terminal at any moment, and fills in.
func TestLive(t *testing.T) {
	empty := newResult(Options{})
	for _, p := range []Progress{{Result: empty, Preparation: "unpacking the root filesystem, looking for contenders"}, {Result: empty, Group: "start", Of: 3},
		{Result: invented(1e5), Group: "density", Done: 3, Of: 3, Elapsed: 14 * time.Minute}} {
		narrow(t, strings.Join(p.Live(), "\n"))
	}
	full := strings.Join(Progress{Result: invented(1), Group: "io", Done: 1, Of: 2}.Live(), "\n")
	require.Contains(t, full, "50 %")
	require.NotContains(t, full, " . ")
}
