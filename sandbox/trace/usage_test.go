package trace

import (
	"bytes"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cutaway/sandbox/inspect"
)

// moves are how a block takes the place of the one before.
var moves = regexp.MustCompile("\x1b\\[[0-9]*[AK]|\r")

// One group with every limit and one without any, where little is told.
func TestUsage(t *testing.T) {
	at := time.Date(2026, 11, 1, 12, 0, 9, 0, time.Local)
	limited := Moment{Usage: inspect.Usage{Taken: at, CPU: 1, CPUMax: 0.5, Memory: 32 << 20, MemoryMax: 64 << 20, Pids: 3, PidsMax: 64,
		Killed: 2, Refused: 7, Waited: map[string]float64{"processor": 12.5, "memory": 0, "disk": 0.1}},
		Rates: inspect.Rates{CPU: 0.25, Throttled: 0.4, Read: 1 << 20, Written: 999}}
	free := Moment{Usage: inspect.Usage{Taken: at, CPUMax: inspect.Unknown, Memory: 1023 << 10, MemoryMax: inspect.Unknown,
		Pids: 12345, PidsMax: inspect.Unknown, Killed: inspect.Unknown, Refused: inspect.Unknown}}
	var b bytes.Buffer
	require.NoError(t, WriteUsageLine(&b, limited, true))
	require.NoError(t, WriteUsageLine(&b, free, false))
	require.NoError(t, WriteUsage(&b, TextOptions{}, "container ab12cd web", 90*time.Second, limited, true))
	require.NoError(t, WriteUsage(&b, TextOptions{ASCII: true, Width: 40}, "container ab12cd", time.Hour, free, false))
	require.NoError(t, WriteUsage(&b, TextOptions{ASCII: true, Width: 64}, "container ab12cd web", time.Hour, limited, false))
	golden(t, "usage.txt", b.Bytes())
	narrow(t, 80, moves.ReplaceAllString(b.String(), ""), "usage")
}
