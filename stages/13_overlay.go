package stages

import (
	"context"

	"cutaway/sandbox/features"
	"cutaway/sandbox/plan"
)

// overlay makes the root a writable layer on top of one that is shared.
var overlay = Stage{
	Slug:   "13-overlay",
	Title:  "a root made of layers",
	Belief: "every container has a copy of its image",
	Lesson: "All containers read the same lower layer; a write copies one file up, a delete leaves a mark.",
	Code:   "sandbox/op/overlay.go",
	Needs:  func(f features.Features) error { return f.HaveOverlayInUserNS() },
	Add:    func(s *plan.Spec, m Materials) { s.Root.From, s.Root.Lower = "", []string{m.Lower} },
	Look:   lookOverlay,
}

func lookOverlay(_ context.Context, l *Look) {
	l.Inside("echo changed > /etc/motd && cat /etc/motd", "written", func(o Out) bool { return o.Text == "changed" })
}
