package stages

import (
	"context"

	"cutaway/sandbox/features"
	"cutaway/sandbox/plan"
)

// mount gives the process a mount table of its own and makes its root the root
// of that table.
var mount = Stage{
	Slug:   "02-mount",
	Title:  "a mount table of its own",
	Belief: "a mount namespace is about hiding files",
	Lesson: "pivot_root leaves no way up: the old root is not hidden, it is not in this mount table any more.",
	Code:   "sandbox/op/root.go",
	Needs:  func(f features.Features) error { return f.HaveNamespace("mnt") },
	Add: func(s *plan.Spec, _ Materials) {
		s.Add("mount")
		s.Root.Pivot = true
	},
	Look: lookMount,
}

func lookMount(_ context.Context, l *Look) {
	l.Note("the same escape again; this time it is meant to fail")
	l.Inside("probe escape", "it stays inside: above this root there is nothing", func(o Out) bool { return o.Status == 1 && o.Has("escaped: no") })
}
