package stages

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"cutaway/stages/buildup"
)

// ipc gives the container System V and POSIX message objects of its own.
var ipc = Stage{
	Part:   buildup.IPC,
	Title:  "shared memory and queues of its own",
	Belief: "separate processes cannot see each other's memory, so there is nothing to isolate",
	Lesson: "System V objects have no path: the IPC namespace is the only wall between those who use the same key.",
	Code:   "sandbox/op/namespace.go",
	Look:   lookIPC,
}

func lookIPC(ctx context.Context, l *Look) {
	const tables = "cd /proc/sysvipc; awk '{print FILENAME, $1, $2}' shm sem msg"
	before, _ := sysvTables() // unread, the next reading differs
	l.Inside("probe sysv hello", "a segment, a semaphore, a queue; the key is all they have for a name", func(o Out) bool { return o.Status == 0 && inLines(o.Text, sysvFound...) })
	l.Inside(tables, "6518132 is 0x637574: one of each", func(o Out) bool { return strings.Count(o.Text, " 6518132 ") == 3 })
	l.Outside(tables, "outside the tables are what they were before", sysvTables, is(before))
	queue := "cutaway-" + l.Container.Spec.ID
	l.Inside("probe mqueue /"+queue+" && ls /dev/mqueue", "a POSIX queue has a name", func(o Out) bool {
		return o.Status == 0 && o.Has("mqueue /"+queue+" ") && strings.HasSuffix(o.Text, "\n"+queue)
	})
	lookAcross(ctx, l, queue)
	lookShared(ctx, l, queue)
}

// lookAcross asks for the same key and queue in a container that has all but the
// IPC namespace: its objects are the host's.
func lookAcross(ctx context.Context, l *Look, queue string) {
	spec := l.Again()
	spec.Drop("ipc")
	l.Note("now a second container, whose IPC namespace is the host's. The same three calls with the same key fail with ENOENT, on purpose.")
	second, err := l.Start(ctx, spec)
	if !l.started(err) {
		return
	}
	second.Inside("probe sysv", "no such key on this side of the wall", func(o Out) bool { return o.Status == 1 && strings.Count(o.Text, "= -1 ENOENT") == 3 })
	second.Inside("ls /dev/mqueue", "no "+queue+" either", func(o Out) bool { return o.Status == 0 && !o.Has(queue) })
	l.ended(second)
}

// lookShared has a container join the first one's IPC namespace.
func lookShared(ctx context.Context, l *Look, queue string) {
	file := fmt.Sprintf("/proc/%d/ns/ipc", l.Container.PID())
	spec := l.Again()
	spec.Join("ipc", file)
	l.Note("and a wall can be left out between two that belong together, as in a pod: a third container is born in the IPC namespace of the first (config.json: linux.namespaces[].path; docker run --ipc container:ID)")
	second, err := l.Start(ctx, spec)
	if !l.started(err) {
		return
	}
	theirs := fmt.Sprintf("/proc/%d/ns/ipc", second.Container.PID())
	l.Outside("readlink "+file+" "+theirs, "one namespace, two containers",
		func() (string, error) {
			a, err := os.Readlink(file)
			b, errB := os.Readlink(theirs)
			return a + "\n" + b, errors.Join(err, errB)
		},
		func(text string) bool {
			first, again, _ := strings.Cut(text, "\n")
			ours, err := os.Readlink("/proc/self/ns/ipc")
			return err == nil && first == again && first != ours
		})
	held := []string{sysvFound[0] + `, holds "hello"`, sysvFound[1] + ", holds 7", sysvFound[2] + `, holds "hello"`}
	second.Inside("probe sysv", "it finds what the first one left", says(strings.Join(held, "\n")))
	second.Inside("ls /dev/mqueue", "and the queue", says(queue))
	l.ended(second)
}

// sysvFound is what `probe sysv` says of the three; in a fresh namespace each is
// the first of its kind.
var sysvFound = []string{"shmget(0x637574) = 0", "semget(0x637574) = 0", "msgget(0x637574) = 0"}
