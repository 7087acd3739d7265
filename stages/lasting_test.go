package stages

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"cutaway/sandbox"
	"cutaway/sandbox/image"
	"cutaway/sandbox/plan"
	"cutaway/stages/buildup"

	"github.com/stretchr/testify/require"
)

// What goes well once can still leave a little each time. These tests make many
// containers, one after the other and side by side, in one process.

// many are how many containers there are one after the other, and at once; few
// where the machine is emulated and each takes a second.
type many struct{ cycles, atOnce int }

func howMany() many {
	if testing.Short() {
		return many{cycles: 25, atOnce: 8}
	}
	return many{cycles: 1000, atOnce: 50}
}

// lastingLab is a lab and the container of cutaway run.
func lastingLab(t *testing.T, w buildup.Wish) (*sandbox.Lab, plan.Spec) {
	l, store, err := openLab(stateDir(t))
	require.NoError(t, err)
	if err := container.Lacks(l.Features); err != nil {
		t.Skip(err)
	}
	r := Runner{Lab: l, Store: store}
	img, err := r.Image(t.Context(), image.BuiltInRef, image.PullOptions{})
	require.NoError(t, err)
	spec, release, err := r.Container(t.Context(), img, w)
	require.NoError(t, err)
	t.Cleanup(release)
	return l, spec
}

// held counts what this process holds: descriptors, threads, goroutines.
func held(t *testing.T) map[string]int {
	t.Helper()
	counts := map[string]int{"goroutines": runtime.NumGoroutine()}
	for _, what := range []string{"fd", "task"} {
		entries, err := os.ReadDir("/proc/self/" + what)
		require.NoError(t, err)
		counts[what] = len(entries)
	}
	return counts
}

// TestLasting starts and stops a container again and again. Afterwards the machine
// and this process have what they had after the first.
func TestLasting(t *testing.T) {
	l, spec := lastingLab(t, buildup.Wish{Args: []string{"true"}})
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	require.NoError(t, err)
	defer null.Close()
	cycle := func() {
		exit, err := sandbox.Run(t.Context(), l, spec, sandbox.Options{Stdio: [3]*os.File{null, null, null}}, false)
		require.NoError(t, err)
		require.Zero(t, exit.Status())
	}
	cycle() // what is kept for all is made by the first
	before, one := lookAround(t, l), held(t)
	const most = 2 * time.Minute // where each takes longer, fewer say as much
	begin, n := time.Now(), 1
	for n < howMany().cycles && time.Since(begin) < most {
		cycle()
		n++
	}
	took := time.Since(begin)
	require.GreaterOrEqual(t, n, min(howMany().cycles, 100), "in %s", most)
	require.Empty(t, before.leaks(lookAround(t, l)))
	// A thread that has ended is in /proc a moment longer, and the runtime may keep
	// one more at any time.
	const slack = 4
	all := held(t)
	for what, count := range one {
		require.LessOrEqual(t, all[what], count+slack, "%s after %d containers", what, n)
	}
	figure(t, "%d containers one after the other, %.1f ms each, left nothing; held then and after the first: %v %v", n, float64(took.Milliseconds())/float64(n-1), all, one)
}

// TestAtOnce has many containers at the same time, each with an address of its
// own: all of them answer, each as itself, and all of them end.
func TestAtOnce(t *testing.T) {
	l, spec := lastingLab(t, buildup.Wish{Args: []string{buildup.Shell, "-c", "echo \"<h1>$(hostname)</h1>\" > /tmp/index.html; exec httpd -f -p 8080 -h /tmp"}, User: "0:0"})
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	require.NoError(t, err)
	defer null.Close()
	first, err := l.Start(t.Context(), spec, sandbox.Options{Stdio: [3]*os.File{null, null, null}})
	require.NoError(t, err)
	require.NoError(t, first.Remove()) // what is kept for all is there now
	before, one := lookAround(t, l), held(t)
	n := howMany().atOnce
	containers, errs := make([]*sandbox.Container, n), make([]error, n)
	var starting sync.WaitGroup
	for i := range n {
		starting.Go(func() {
			own := spec
			own.Hostname = fmt.Sprintf("number%d", i)
			containers[i], errs[i] = l.Start(t.Context(), own, sandbox.Options{Stdio: [3]*os.File{null, null, null}})
		})
	}
	starting.Wait()
	for i, c := range containers {
		require.NoError(t, errs[i])
		t.Cleanup(func() { c.Kill() })
	}
	for i, c := range containers {
		read, want := heading(bare(c.Spec.Net.Address)+":8080"), fmt.Sprintf("<h1>number%d</h1>", i)
		require.Eventually(t, func() bool { line, _ := read(); return strings.TrimSpace(line) == want }, 30*time.Second, 10*time.Millisecond, want)
	}
	var ending sync.WaitGroup
	for i, c := range containers {
		ending.Go(func() { errs[i] = c.Remove() })
	}
	ending.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.Empty(t, before.leaks(lookAround(t, l)))
	require.LessOrEqual(t, held(t)["fd"], one["fd"]+4)
	figure(t, "%d containers at once started, answered and stopped", n)
}
