package stages

import (
	"context"

	"cutaway/sandbox/features"
	"cutaway/sandbox/plan"
)

// timens moves the container's monotonic and boot clocks.
var timens = Stage{
	Slug:   "09-time",
	Title:  "an uptime of its own",
	Belief: "a time namespace gives a container another date",
	Lesson: "Only the clocks that count from boot are moved; the date is the machine's.",
	Code:   "sandbox/op/namespace.go",
	Needs:  func(f features.Features) error { return f.HaveTimeNSByExec() },
	Add: func(s *plan.Spec, _ Materials) {
		s.Add("time")
		s.Linux.TimeOffset = 7 * 24 * 3600
	},
	Look: lookTime,
}

func lookTime(_ context.Context, l *Look) {
	l.Inside("cat /proc/uptime", "a week ahead", func(o Out) bool { return o.Status == 0 })
}
