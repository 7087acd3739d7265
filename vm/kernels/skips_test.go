package kernels

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// tooOld is how a typed feature error ends (sandbox/features).
var tooOld = regexp.MustCompile(`requires Linux >= (\d+)\.(\d+), this is (\d+)\.(\d+)`)

// skips sorts what go test -v says of skipped tests on a kernel of the series. What a test logs stands
// between "=== RUN   name" and the next test.
func skips(series, out string) (earned, wrong []string) {
	for line := range strings.Lines(out) {
		skipped, ok := strings.CutPrefix(strings.TrimSpace(line), "--- SKIP: ")
		if !ok {
			continue
		}
		name, _, _ := strings.Cut(skipped, " ")
		_, log, _ := strings.Cut(out, "=== RUN   "+name+"\n")
		log, _, _ = strings.Cut(log, "\n=== RUN ")
		// Output that is wrapped says the same.
		why := tooOld.FindString(strings.Join(strings.Fields(log), " "))
		if older(why) && strings.HasSuffix(why, ", this is "+series) {
			earned = append(earned, name+": "+why)
		} else {
			wrong = append(wrong, name+": "+log)
		}
	}
	return earned, wrong
}

// older reports whether a reason names a kernel newer than the running one.
func older(why string) bool {
	var need, is [2]int
	_, err := fmt.Sscanf(why, "requires Linux >= %d.%d, this is %d.%d", &need[0], &need[1], &is[0], &is[1])
	return err == nil && slices.Compare(is[:], need[:]) < 0
}

func TestSkipsAreEarned(t *testing.T) {
	earned, wrong := skips("6.1", `=== RUN   TestA
    a_test.go:5: time namespaces not supported (requires Linux >= 6.3, this is 6.1)
--- SKIP: TestA (0.00s)
=== RUN   TestB
    b_test.go:5: a feature (requires Linux >= 5.11, this is 6.1)
--- SKIP: TestB (0.00s)
=== RUN   TestC
    c_test.go:9: no strace
--- SKIP: TestC (0.00s)
=== RUN   TestD
    d_test.go:9: a feature (requires Linux >= 9.9, this is 5.10)
--- SKIP: TestD (0.00s)
=== RUN   TestE
--- PASS: TestE (0.00s)
`)
	require.Equal(t, []string{"TestA: requires Linux >= 6.3, this is 6.1"}, earned)
	require.Len(t, wrong, 3)
	require.Contains(t, wrong[0], "TestB")
	require.Contains(t, wrong[1], "no strace")
	require.Contains(t, wrong[2], "this is 5.10")
}

// failures is the part of a log worth reading.
func failures(out string) string {
	const most = 20000 // bytes
	var kept strings.Builder
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "=== ") && !strings.Contains(line, "--- PASS") {
			kept.WriteString(line)
		}
	}
	s := kept.String()
	return s[max(0, len(s)-most):]
}
