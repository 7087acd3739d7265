package plan

import (
	"testing"

	"cutaway/sandbox/features"

	"github.com/stretchr/testify/require"
)

// One limit of traffic is a word in v2's one file, and a file of its own in v1.
func TestLimitsOfDisks(t *testing.T) {
	var r Resources
	r.Disk("8:0").ReadBPS = 1 << 20
	r.Disk("8:16").WriteIOPS = 5
	r.Disk("8:0").WriteBPS = 7
	require.Len(t, r.IOMax, 2)
	lines := func(mode string) (all []string) {
		for _, f := range r.Files(mode) {
			require.Equal(t, "io", f.Controller)
			all = append(all, f.Value+" > "+f.File)
		}
		return all
	}
	require.Equal(t, []string{"8:0 rbps=1048576 wbps=7 > io.max", "8:16 wiops=5 > io.max"}, lines(features.Unified))
	require.Equal(t, []string{
		"8:0 1048576 > blkio.throttle.read_bps_device",
		"8:0 7 > blkio.throttle.write_bps_device",
		"8:16 5 > blkio.throttle.write_iops_device",
	}, lines(features.Legacy))
}

// A limit that no controller here enforces is refused, not passed over.
func TestLimitsNeedTheirController(t *testing.T) {
	f := features.Features{Cgroup: features.Cgroups{Mode: features.Unified, Root: "/sys/fs/cgroup", V2: []string{"memory"}}}
	s := Spec{ID: "x", Process: Process{Args: []string{"sh"}}, Linux: Linux{Cgroup: true}}
	s.Linux.Resources.MemoryMax = 1 << 20
	_, err := Compile(s, f)
	require.NoError(t, err)
	s.Linux.Resources.PidsMax = 3
	_, err = Compile(s, f)
	var lacks *features.Error
	require.ErrorAs(t, err, &lacks)
	require.ErrorContains(t, err, "the cgroup controller pids not available")
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{"1": 1, "64m": 64 << 20, "64MB": 64 << 20, "64MiB": 64 << 20, "1.5k": 1536, "0": 0} {
		got, err := ParseSize(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "m", "-1", "5x", "nan", "inf", "9223372036854775808"} {
		_, err := ParseSize(text)
		require.Error(t, err, text)
	}
}
