package inspect

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRates(t *testing.T) {
	begin := time.Now()
	before := Usage{Taken: begin, CPU: 1e6, Throttled: 0, Read: Unknown, Written: 100}
	now := Usage{Taken: begin.Add(2 * time.Second), CPU: 2e6, Throttled: 4e5, Read: 5, Written: 4196}
	require.Equal(t, Rates{CPU: 0.5, Throttled: 0.2, Written: 2048}, now.Since(before))
	require.Equal(t, Rates{}, before.Since(before), "no time, no rate")
	require.Equal(t, Rates{}, before.Since(now), "a group made anew counts from zero")

	require.InDelta(t, 0.5, processors("50000 100000"), 0)
	require.EqualValues(t, Unknown, processors("max 100000"))
	require.EqualValues(t, Unknown, processors(""))
	require.Equal(t, map[string]float64{"memory": 1.25}, waited(Detail{{Key: "memory.pressure some", Value: "avg10=1.25 avg60=0.00 avg300=0.00 total=9"}}))
}

// A group with one busy process in it, in the hierarchy of v2, which every
// machine has, if only without controllers.
func TestUsageOfAGroup(t *testing.T) {
	mount := t.TempDir()
	require.NoError(t, syscall.Mount("cgroup2", mount, "cgroup2", 0, ""))
	defer func() { require.NoError(t, syscall.Unmount(mount, 0)) }()
	group := filepath.Join(mount, "cutaway-usage")
	require.NoError(t, os.Mkdir(group, 0o755))
	busy := exec.Command("/bin/sh", "-c", "while :; do :; done")
	require.NoError(t, busy.Start())
	require.NoError(t, os.WriteFile(group+"/cgroup.procs", []byte(strconv.Itoa(busy.Process.Pid)), 0o644))
	before, err := UsageOf(t.Context(), []string{group})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		now, err := UsageOf(t.Context(), []string{group})
		return err == nil && now.Since(before).CPU > 0.01
	}, 5*time.Second, 50*time.Millisecond)
	require.NoError(t, busy.Process.Kill())
	require.Error(t, busy.Wait())
	require.NoError(t, os.Remove(group))
	_, err = UsageOf(t.Context(), []string{group})
	require.True(t, errors.Is(err, os.ErrNotExist))
}
