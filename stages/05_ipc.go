package stages

import (
	"context"

	"cutaway/sandbox/features"
	"cutaway/sandbox/plan"
)

// ipc gives the container System V and POSIX message objects of its own.
var ipc = Stage{
	Slug:   "05-ipc",
	Title:  "shared memory and queues of its own",
	Belief: "separate processes cannot see each other's memory, so there is nothing to isolate",
	Lesson: "System V objects have no path: the IPC namespace is the only wall between those who use the same key.",
	Code:   "sandbox/op/namespace.go",
	Needs:  func(f features.Features) error { return f.HaveNamespace("ipc") },
	Add: func(s *plan.Spec, _ Materials) {
		s.Add("ipc")
		s.Linux.Mqueue = true
	},
	Look: lookIPC,
}

func lookIPC(_ context.Context, l *Look) {
	l.Inside("probe shm", "a segment is made", func(o Out) bool { return o.Status == 0 && o.Has("shmid") })
}
