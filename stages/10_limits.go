package stages

import (
	"context"

	"cutaway/sandbox/features"
	"cutaway/sandbox/plan"
)

// limits bounds what the container may use.
var limits = Stage{
	Slug:   "10-limits",
	Title:  "limits",
	Belief: "namespaces limit, and a program that asks for too much memory gets an error",
	Lesson: "Namespaces change what is seen, control groups what is used. Beyond memory.max nobody is told: somebody is killed.",
	Code:   "sandbox/plan/limits.go",
	Needs: func(f features.Features) error {
		for _, controller := range []string{"memory", "pids", "cpu"} {
			if err := f.HaveController(controller); err != nil {
				return err
			}
		}
		return nil
	},
	Add: func(s *plan.Spec, _ Materials) {
		s.Linux.Resources = plan.Resources{MemoryMax: 64 << 20, MemoryHigh: 56 << 20, PidsMax: 64, CPUMax: "50000 100000", CPUWeight: 50}
	},
	Look: lookLimits,
}

func lookLimits(_ context.Context, l *Look) {
	l.Inside("probe eat 128M", "killed: twice the limit", func(o Out) bool { return o.Status == 137 })
}
