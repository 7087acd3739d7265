package stages

import (
	"context"
	"fmt"
	"os"
	"strings"

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

func lookIPC(ctx context.Context, l *Look) {
	before, _ := segments() // unread, the next reading differs
	l.Inside("probe shm", "a segment, and a key to find it by", func(o Out) bool { return o.Status == 0 && o.Has("key "+shmKey) })
	l.Inside("probe shm && awk '{print $1, $2, $4, $5}' /proc/sysvipc/shm", "another process found the same one by its key", func(o Out) bool {
		return o.Status == 0 && strings.Count(o.Text, shmKeyDecimal) == 1
	})
	l.Outside("awk '{print $1, $2, $4, $5}' /proc/sysvipc/shm", "outside the table is what it was before", segments,
		func(now string) bool { return now == before })
	queue := "cutaway-" + l.Container.Spec.ID
	l.Inside("probe mqueue /"+queue+" && ls /dev/mqueue", "a POSIX queue, and its name", func(o Out) bool {
		return o.Status == 0 && o.Has("mqueue /"+queue+" ") && strings.HasSuffix(o.Text, "\n"+queue)
	})
	lookOutsideIPC(ctx, l, queue)
}

// lookOutsideIPC looks for the queue from a container that has all but the IPC
// namespace: what its /dev/mqueue lists is the host's, which need not have one.
func lookOutsideIPC(ctx context.Context, l *Look, queue string) {
	spec := l.Again()
	spec.Drop("ipc")
	l.Note("now a second container, without an IPC namespace of its own: the queues it sees in /dev/mqueue are the host's.")
	second, err := l.Start(ctx, spec)
	if !l.started(err) {
		return
	}
	second.Inside("ls /dev/mqueue", "no "+queue+" out here", func(o Out) bool {
		ours, err := os.Readlink("/proc/self/ns/ipc")
		theirs, errTheirs := os.Readlink(fmt.Sprintf("/proc/%d/ns/ipc", second.Container.PID()))
		return err == nil && errTheirs == nil && ours == theirs && o.Status == 0 && !o.Has(queue)
	})
	l.ended(second)
}

// shmKey is what `probe shm` uses: the letters "cut". The kernel's table has it
// in decimal.
const shmKey, shmKeyDecimal = "0x637574", "6518132"
