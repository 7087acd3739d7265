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
	Belief: "free and top show my limit, and beyond it malloc fails",
	Lesson: "Namespaces change what is seen, control groups what is used. Beyond memory.max nobody is told: somebody is killed, and the group counts it.",
	Code:   "sandbox/plan/limits.go",
	Needs: func(f features.Features) error {
		if !f.Root() {
			return errNoGroups
		}
		for _, controller := range []string{"memory", "pids", "cpu"} {
			if err := f.HaveController(controller); err != nil {
				return err
			}
		}
		return nil
	},
	Add: func(s *plan.Spec, m Materials) {
		r := plan.Resources{MemoryMax: 64 << 20, MemoryHigh: 62 << 20, PidsMax: 64, CPUMax: "100000 100000", CPUWeight: 50}
		if m.Disk != "" {
			r.Disk(m.Disk).WriteBPS = 8 << 20
		}
		s.Linux.Resources = r
	},
	Look: lookLimits,
}

func lookLimits(ctx context.Context, l *Look) {
	lookNames(l)
	lookMeminfo(l)
	lookHigh(l)
	lookOOM(l)
	lookSwap(l)
	lookPids(l)
	lookQuota(l)
	lookPressure(l)
	lookIO(l)
	lookFreezer(l)
	lookNeighbour(ctx, l)
	lookDelegation(l)
}
