package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"cutaway/sandbox/inspect"
	"cutaway/sandbox/trace"

	"github.com/stretchr/testify/require"
)

// recorded are the Events of three stages, as a microVM has told them; the tests
// of package trace make pages of them.
const recorded = "../../sandbox/trace/testdata/recorded.ndjson"

// TestRecording plays those stages again and fails when they have other steps by
// now, or steps that do something else. -update records them anew.
func TestRecording(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "../../bin/cutaway", "vm", "run", "--", "sh", "-ec",
		"for s in uts net container; do cutaway stage $s --in host --format json; done")
	cmd.Stderr = os.Stderr
	fresh, err := cmd.Output()
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile(recorded, fresh, 0o644))
	}
	old, err := os.ReadFile(recorded)
	require.NoError(t, err)
	require.Equal(t, steps(t, fresh), steps(t, old),
		"%s is stale: go test ./cmd/cutaway -run TestRecording -update, then go test ./sandbox/trace -update", recorded)
}

// ofOneRun is what is another in each run, or on each machine, in the arguments of
// calls: text, files and numbers. Flags are left.
var ofOneRun = regexp.MustCompile(`"[^"]*"|<[^>]*>|\b([0-9]+|[0-9a-f]{6})\b`)

// steps says of every step of a recording by which calls it did what to which kinds
// of object.
func steps(t *testing.T, ndjson []byte) string {
	t.Helper()
	var b strings.Builder
	for line := range bytes.Lines(ndjson) {
		var e trace.Event
		require.NoError(t, json.Unmarshal(line, &e))
		if e.Event != trace.StepEvent && e.Event != trace.EarlierEvent {
			continue
		}
		fmt.Fprintf(&b, "%s %d/%d %s %s", e.Stage, e.Step, e.Of, e.Where, e.Op)
		for _, list := range [][]inspect.Object{e.Created, e.Changed, e.Removed} {
			var kinds []string
			for _, o := range list {
				if o.Kind != inspect.Time { // which kernels before 6.3 leave out
					kinds = append(kinds, string(o.Kind))
				}
			}
			slices.Sort(kinds)
			fmt.Fprintf(&b, " %v", slices.Compact(kinds))
		}
		for _, c := range e.Calls {
			fmt.Fprintf(&b, "\n  %s(%s)", c.Name, ofOneRun.ReplaceAllString(strings.Join(c.Args, ", "), "_"))
		}
		b.WriteByte('\n')
	}
	return b.String()
}
