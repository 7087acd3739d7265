package stages

import (
	"context"

	"cutaway/sandbox/features"
	"cutaway/sandbox/plan"
)

// cgroup puts the container into a control group and makes that the root of
// what it sees.
var cgroup = Stage{
	Slug:   "08-cgroup",
	Title:  "a view of control groups of its own",
	Belief: "the cgroup namespace sets the limits",
	Lesson: "The namespace only changes where the path begins; the group it hides is where the limits will be.",
	Code:   "sandbox/op/cgroup.go",
	Needs: func(f features.Features) error {
		if err := f.HaveNamespace("cgroup"); err != nil {
			return err
		}
		return f.HaveController("pids")
	},
	Add: func(s *plan.Spec, _ Materials) {
		s.Add("cgroup")
		s.Linux.Cgroup = true
	},
	Look: lookCgroup,
}

func lookCgroup(_ context.Context, l *Look) {
	l.Inside("cat /proc/self/cgroup", "every path is /", func(o Out) bool { return o.Status == 0 })
}
