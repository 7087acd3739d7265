package stages

import (
	"context"

	"cutaway/stages/buildup"
)

// overlay makes the root a writable layer on top of one that is shared.
var overlay = Stage{
	Part:   buildup.Overlay,
	Title:  "a root made of layers",
	Belief: "every container has a copy of its image, and a small write costs a small write",
	Lesson: "All containers read the same lower layer. A write first copies the whole file up, a delete leaves a mark; a container's own disk is what it changed.",
	Code:   "sandbox/op/overlay.go",
	Look:   lookOverlay,
}

func lookOverlay(ctx context.Context, l *Look) {
	o := newLayers(l)
	o.Note("two directories of the host are what this root is made of: UPPER is %s, LOWER is %s", o.upper, o.lower)
	o.inUserNS()
	o.write()
	o.remove()
	o.opaque()
	o.shared(ctx)
	o.small()
	o.metadata()
	o.rename()
	lookOptions(ctx, l)
	o.commit()
	o.secret(ctx)
}
