package stages

import (
	"context"

	"cutaway/sandbox/plan"
)

// imageStage takes the layers from a registry.
var imageStage = Stage{
	Slug:   "14-image",
	Title:  "an image pulled from a registry",
	Belief: "an image is a disk",
	Lesson: "An image is a few JSON documents and some tar archives, each named by its own digest.",
	Code:   "sandbox/image/pull.go",
	Add:    func(s *plan.Spec, m Materials) { s.Root.Lower = m.Layers },
	Look:   lookImage,
}

func lookImage(_ context.Context, l *Look) {
	l.Inside("cat /etc/motd", "from the second layer", func(o Out) bool { return o.Status == 0 })
}
