package stages

import (
	"context"

	"cutaway/sandbox/plan"
)

// container is all of it, run by the image's own config.
var container = Stage{
	Slug:   "15-container",
	Title:  "the complete container",
	Belief: "the kernel knows what a container is",
	Lesson: "Namespaces, mounts, a control group, links, capabilities, a filter, layers: none of them is a container. The kernel has no such thing.",
	Code:   "sandbox/plan/plan.go",
	Add: func(s *plan.Spec, m Materials) {
		s.Process.Env = append(s.Process.Env, m.Config.Env...)
		s.Process.Cwd = m.Config.WorkingDir
	},
	Look: lookContainer,
}

func lookContainer(_ context.Context, l *Look) {
	l.Inside("pwd", "the image's working directory", func(o Out) bool { return o.Text == l.Materials.Config.WorkingDir })
}
