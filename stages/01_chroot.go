package stages

import (
	"context"

	"cutaway/sandbox/plan"
)

// chroot changes where path lookup begins.
var chroot = Stage{
	Slug:   "01-chroot",
	Title:  "a root directory of its own",
	Belief: "chroot locks a process in",
	Lesson: "chroot moves the place where / begins and takes nothing away: whoever may chroot again walks out.",
	Code:   "sandbox/op/root.go",
	Add:    func(s *plan.Spec, m Materials) { s.Root.From = m.Tree },
	Look:   lookChroot,
}

func lookChroot(_ context.Context, l *Look) {
	l.Inside("ls /", "the image's files, not the host's", func(o Out) bool { return o.Has("www") })
	l.Note("now the classic escape, which works here: it makes a directory, calls chroot on it without going in, and climbs")
	l.Inside("probe escape", "it gets out: chroot is no wall", func(o Out) bool { return o.Status == 0 && o.Has("escaped: yes") })
}
