package stages

import (
	"context"
	"slices"
	"strings"

	"cutaway/stages/buildup"
)

// privileges takes from root most of what makes it root.
var privileges = Stage{
	Part:   buildup.Privileges,
	Title:  "root that cannot",
	Belief: "root can do everything, and uid 0 is what makes it root",
	Lesson: "Root is a set of capabilities, and most of them are gone; a filter refuses the calls nobody here needs; and no program gives anything back. Each wall holds without the others.",
	Code:   "sandbox/op/caps.go",
	Look:   lookPrivileges,
}

func lookPrivileges(ctx context.Context, l *Look) {
	l.Inside("probe ids", "uid 0 with few capabilities, and a filter", func(o Out) bool {
		names := strings.Fields(o.Text[max(0, strings.Index(o.Text, "CapEff")):])
		return o.Has("uid 0 euid 0") && o.Has("NoNewPrivs 1") && o.Has("Seccomp 2") &&
			slices.Equal(slices.Sorted(slices.Values(names[min(1, len(names)):])), slices.Sorted(slices.Values(buildup.Capabilities)))
	})
	lookWalls(ctx, l)
	lookProfile(l)
	lookSetuid(ctx, l)
	lookRlimits(l)
}
