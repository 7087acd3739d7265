package stages

import (
	"context"

	"cutaway/stages/buildup"
)

// limits bounds what the container may use.
var limits = Stage{
	Part:   buildup.Limits,
	Title:  "limits",
	Belief: "free and top show my limit, and beyond it malloc fails",
	Lesson: "Namespaces change what is seen, control groups what is used. Beyond memory.max nobody is told: somebody is killed, and the group counts it.",
	Code:   "sandbox/plan/limits.go",
	Look:   lookLimits,
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
