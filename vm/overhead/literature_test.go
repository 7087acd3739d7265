package overhead

import (
	"flag"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write docs/overhead.md anew from docs/overhead.json")

// numbersBlock is the part of the page that is made from a result.
var numbersBlock = regexp.MustCompile(`(?s)(<!-- numbers: docs/overhead\.json -->\n).*?(<!-- end -->)`)

// Every number of this lab's in docs/overhead.md comes from the run that is kept
// beside it.
func TestLiteraturePage(t *testing.T) {
	const page = "../../docs/overhead.md"
	r, err := Read("../../docs/overhead.json")
	require.NoError(t, err)
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Len(t, numbersBlock.FindAll(text, -1), 1)
	fresh := numbersBlock.ReplaceAllFunc(text, func(block []byte) []byte {
		m := numbersBlock.FindSubmatch(block)
		return append(append(m[1], "\n"+r.Literature()+"\n"...), m[2]...)
	})
	if *update {
		require.NoError(t, os.WriteFile(page, fresh, 0o644))
	}
	require.Equal(t, string(text), string(fresh), "stale: go test ./vm/overhead -run TestLiteraturePage -update")
	outside := numbersBlock.ReplaceAllString(string(text), "")
	require.NotRegexp(t, `[0-9] ?(ms|us|ns|MiB|MB)\b`, outside, "a number outside of the block comes from nowhere")
}

// A claim agrees where the figure lies in its range, and a claim that was not
// measured says so.
func TestClaims(t *testing.T) {
	r := invented(1)
	require.Equal(t, []string{"not measured", "", ""}, claim{ours: figure{measure: "start.first", subject: "docker"}}.beside(r))
	same := figure{measure: "start.first", subject: "process", over: "process"}
	require.Equal(t, "agrees", claim{ours: same, low: 1, high: 1}.beside(r)[1])
	none := figure{measure: "start.first", subject: "process", minus: "process"}
	require.Equal(t, "differs", claim{ours: none, low: 1, high: 2}.beside(r)[1])
	r.Conditions.Accelerator = "tcg"
	require.Equal(t, "because", claim{ours: none, low: 1, high: 2, emulated: "because"}.beside(r)[2])
	for _, s := range literature(r) {
		for _, c := range s.claims {
			require.NotEmpty(t, c.agrees, c.says)
			require.NotEmpty(t, c.differs, c.says)
			_, known := MeasureOf(c.ours.measure)
			require.True(t, known, c.ours.measure)
		}
	}
}
