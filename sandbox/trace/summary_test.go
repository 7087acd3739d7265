package trace

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTally(t *testing.T) {
	tally := NewTally()
	for _, s := range scenes() {
		for _, e := range s.events {
			if e.Stage == "" {
				e.Stage = s.name
			}
			tally.Emit(e)
		}
	}
	got := tally.Summary()
	require.Equal(t, Summary{Stages: 5, Steps: 10, Kinds: 10, Probes: 14, Failed: 2,
		Lacks: []string{"09-time: kernel 5.4 has no time namespaces (5.6 has)"}}, got)
	tally.Emit(utsScene()[2]) // the first step again, after going back
	require.Equal(t, got, tally.Summary())
}

func TestSummary(t *testing.T) {
	whole := Summary{Stages: 16, Steps: 74, Kinds: 31, Probes: 59, Compared: 9, HostClean: true,
		Lines: []string{"7 namespaces", "12 mounts", "1 cgroup (memory 64M, pids 64)", "2 links, 1 route",
			"14 capabilities of 41", "1 seccomp filter, 376 calls allowed", "3 image layers"}}
	var b bytes.Buffer
	require.NoError(t, WriteSummary(&b, TextOptions{}, whole))
	part := Summary{Stages: 3, Steps: 1, Kinds: 4, Probes: 9, Failed: 2, Compared: 9,
		Lacks: []string{"09-time: kernel 5.4 has no time namespaces (5.6 has)"},
		Left:  []string{"link cutaway0 is still there", "sysctl net.ipv4.ip_forward 0 -> 1"}}
	require.NoError(t, WriteSummary(&b, TextOptions{}, part))
	golden(t, "summary.txt", b.Bytes())
}
