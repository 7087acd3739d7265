package sys

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// asleep starts a process that waits to be ended.
func asleep(t *testing.T) int {
	c := exec.CommandContext(t.Context(), "sleep", "600")
	require.NoError(t, c.Start())
	t.Cleanup(func() { _ = c.Wait() }) // killed when the test's context ends
	return c.Process.Pid
}

func processors(t *testing.T, pid int) unix.CPUSet {
	var set unix.CPUSet
	require.NoError(t, unix.SchedGetaffinity(pid, &set))
	return set
}

// A process is kept off one processor and gets all of them back; with one only, or
// with fewer than the machine has, it is left alone.
func TestApart(t *testing.T) {
	all := processors(t, 0)
	pid := asleep(t)
	together := Apart(pid)
	left := all.Count()
	if left > 1 && left == online() {
		left--
	}
	fewer := processors(t, pid)
	require.Equal(t, left, fewer.Count())
	together()
	require.Equal(t, all, processors(t, pid))

	var one unix.CPUSet
	one.Set(processor())
	require.NoError(t, unix.SchedSetaffinity(pid, &one))
	together = Apart(pid)
	require.Equal(t, one, processors(t, pid))
	together()
	require.Equal(t, one, processors(t, pid))

	Apart(1 << 30)() // there is no such process
}

func TestMembers(t *testing.T) {
	for list, count := range map[string]int{"0": 1, "0-1": 2, "0-2,5": 4, "0-3,8-11,16": 9} {
		require.Equal(t, count, members(list), list)
	}
}

// The runtime's oldest thread is in less of a hurry, and the first, from which
// others inherit, in the same as before.
func TestUnhurry(t *testing.T) {
	slack := func(thread string) string {
		text, err := os.ReadFile("/proc/" + thread + "/timerslack_ns")
		require.NoError(t, err)
		return strings.TrimSpace(string(text))
	}
	first := strconv.Itoa(os.Getpid())
	before := slack(first)
	Unhurry()
	threads, err := os.ReadDir("/proc/self/task")
	require.NoError(t, err)
	relaxed := 0
	for _, thread := range threads {
		if thread.Name() != first && slack(thread.Name()) == "1000000" {
			relaxed++
		}
	}
	require.Positive(t, relaxed)
	require.Equal(t, before, slack(first))
	require.NotEqual(t, "1000000", before)
}
