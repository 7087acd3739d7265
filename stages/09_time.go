package stages

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"cutaway/sandbox/features"
	"cutaway/sandbox/plan"
)

// timens moves the container's monotonic and boot clocks.
var timens = Stage{
	Slug:   "09-time",
	Title:  "an uptime of its own",
	Belief: "a time namespace gives a container another date",
	Lesson: "Only the clocks that count from boot are moved, so that a container can be frozen here and go on elsewhere. The date belongs to the machine.",
	Code:   "sandbox/op/namespace.go",
	Needs:  func(f features.Features) error { return f.HaveTimeNSByExec() },
	Add: func(s *plan.Spec, _ Materials) {
		s.Add("time")
		s.Linux.TimeOffset = week
	},
	Look: lookTime,
}

// week is how far ahead the container's uptime is, in seconds.
const week = 7 * 24 * 3600

func lookTime(_ context.Context, l *Look) {
	var outside float64
	l.Outside("cut -d' ' -f1 /proc/uptime", "seconds since this machine was switched on", readUptime,
		func(text string) bool {
			var err error
			outside, err = strconv.ParseFloat(text, 64)
			return err == nil
		})
	l.Inside("cut -d' ' -f1 /proc/uptime", fmt.Sprintf("%d more: switched on a week earlier", week),
		func(o Out) bool { return near(o.Text, outside+week) })
	l.Inside("probe clock", "both clocks that count from boot have moved", func(o Out) bool {
		clocks := map[string]string{}
		for line := range strings.Lines(o.Text) {
			name, seconds, _ := strings.Cut(strings.TrimSpace(line), " ")
			clocks[name] = seconds
		}
		now := float64(time.Now().Unix())
		return near(clocks["realtime"], now) && near(clocks["boottime"], outside+week) && !near(clocks["monotonic"], outside)
	})
	l.Inside("date +%s", "the date of this machine, in seconds since 1970",
		func(o Out) bool { return near(o.Text, float64(time.Now().Unix())) })
	l.Outside("date +%s", "the same here",
		func() (string, error) { return fmt.Sprint(time.Now().Unix()), nil },
		func(text string) bool { return near(text, float64(time.Now().Unix())) })
}

// readUptime reads the host's first number in /proc/uptime.
func readUptime() (string, error) {
	text, err := readFile("/proc/uptime")()
	seconds, _, _ := strings.Cut(text, " ")
	return seconds, err
}

// near reports whether text is a number of seconds at most two from want, which
// is as long as two readings may lie apart.
func near(text string, want float64) bool {
	got, err := strconv.ParseFloat(text, 64)
	return err == nil && math.Abs(got-want) <= 2
}
