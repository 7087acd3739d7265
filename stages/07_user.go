package stages

import (
	"context"

	"cutaway/sandbox/features"
	"cutaway/sandbox/plan"
)

// user makes root inside somebody ordinary outside.
var user = Stage{
	Slug:   "07-user",
	Title:  "users of its own",
	Belief: "root in a container is always, or never, root of the host",
	Lesson: "An id is a number in a user namespace. Root inside owns what this namespace owns, and nothing else.",
	Code:   "sandbox/op/idmap.go",
	Needs:  func(f features.Features) error { return f.HaveNamespace("user") },
	Add: func(s *plan.Spec, m Materials) {
		s.Add("user")
		s.Linux.UIDMappings, s.Linux.GIDMappings = m.Mappings, m.Mappings
	},
	Look: lookUser,
}

func lookUser(_ context.Context, l *Look) {
	l.Inside("id -u", "root inside", func(o Out) bool { return o.Text == "0" })
}
