package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"cutaway/sandbox/features"
	"cutaway/vm/overhead"
)

// measure runs every tool n times, in an order that is drawn anew for each
// round, so that no tool always follows the same other one. One round before is
// not counted: it fills caches, and unpacks cutaway's image.
func measure(ctx context.Context, tools []tool, n int, pause time.Duration, complaints *os.File) (map[string][]time.Duration, error) {
	times := map[string][]time.Duration{}
	for round := -1; round < n; round++ {
		for _, i := range rand.Perm(len(tools)) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			time.Sleep(pause)
			took, err := tools[i].run(complaints)
			if err != nil {
				return nil, err
			}
			if round >= 0 {
				times[tools[i].name] = append(times[tools[i].name], took)
			}
		}
	}
	for _, t := range times {
		slices.Sort(t)
	}
	return times, nil
}

// quantile gives the value below which a share q of sorted times lies.
func quantile(sorted []time.Duration, q float64) time.Duration {
	values := make([]float64, len(sorted))
	for i, t := range sorted {
		values[i] = float64(t)
	}
	return time.Duration(overhead.Quantile(values, q))
}

func median(sorted []time.Duration) time.Duration { return quantile(sorted, 0.5) }

// machine says where the numbers are from.
func machine(w io.Writer, runs int) error {
	f, err := features.Detect()
	if err != nil {
		return err
	}
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "start to end of `true`: Linux %s, %d processors, cgroup %s, %d runs of each in random order\n",
		strings.TrimSpace(string(release)), runtime.NumCPU(), f.Cgroup.Mode, runs)
	return err
}

// show prints one line for each tool.
func show(w io.Writer, tools []tool, times map[string][]time.Duration) {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	fmt.Fprintf(w, "  %-16s %9s %19s %11s %8s\n", "", "median ms", "quartiles ms", "x unshare", "x runc")
	for _, t := range tools {
		all := times[t.name]
		fmt.Fprintf(w, "  %-16s %9.2f %10.2f - %6.2f %11.2f %8.2f\n", t.name, ms(median(all)), ms(quantile(all, 0.25)), ms(quantile(all, 0.75)),
			ratio(times, t.name, nameUnshare), ratio(times, t.name, nameRunc))
	}
}

// ratio is how many times the median of tool b that of tool a is.
func ratio(times map[string][]time.Duration, a, b string) float64 {
	return float64(median(times[a])) / float64(median(times[b]))
}

// promises checks what cutaway promises and says so.
func promises(w io.Writer, times map[string][]time.Duration, hot bool) bool {
	kept := true
	check := func(name string, ok bool, got float64) {
		word := "pass"
		if !ok {
			word, kept = "FAIL", false
		}
		fmt.Fprintf(w, "  %s: %s (%.2f)\n", word, name, got)
	}
	if hot { // unshare has no control group, whose cold cost is not ours to beat
		r := ratio(times, nameCutaway, nameUnshare)
		check("at most 4 x unshare", r <= 4, r)
	}
	r := 1 / ratio(times, nameCutaway, nameRunc)
	check("runc takes more than 3 times as long", r > 3, r)
	return kept
}
