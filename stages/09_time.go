package stages

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"cutaway/stages/buildup"
)

// timens moves the container's monotonic and boot clocks.
var timens = Stage{
	Part:   buildup.Time,
	Title:  "an uptime of its own",
	Belief: "a time namespace gives a container another date",
	Lesson: "Only the clocks that count from boot are moved, so that a container can be frozen here and go on elsewhere. The date belongs to the machine.",
	Code:   "sandbox/op/namespace.go",
	Look:   lookTime,
}

func lookTime(_ context.Context, l *Look) {
	var outside float64
	l.Outside("cut -d' ' -f1 /proc/uptime", "seconds since this machine was switched on", readUptime,
		func(text string) bool {
			var err error
			outside, err = strconv.ParseFloat(text, 64)
			return err == nil
		})
	l.Inside("cut -d' ' -f1 /proc/uptime", fmt.Sprintf("%d more: switched on a week earlier", buildup.Week),
		func(o Out) bool { return near(o.Text, outside+buildup.Week) })
	l.Inside("probe clock", "both clocks that count from boot have moved", func(o Out) bool {
		clocks := map[string]string{}
		for line := range strings.Lines(o.Text) {
			name, seconds, _ := strings.Cut(strings.TrimSpace(line), " ")
			clocks[name] = seconds
		}
		now := float64(time.Now().Unix())
		return near(clocks["realtime"], now) && near(clocks["boottime"], outside+buildup.Week) && !near(clocks["monotonic"], outside)
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
