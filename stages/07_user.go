package stages

import (
	"context"
	"fmt"
	"strings"

	"cutaway/stages/buildup"
)

// user makes root inside somebody ordinary outside.
var user = Stage{
	Part:   buildup.User,
	Title:  "users of its own",
	Belief: "all capabilities means all-powerful: root in a container is root",
	Lesson: "An id is a number in a user namespace, and a capability counts only against what that namespace owns. Root inside owns what was made inside, and nothing else.",
	Code:   "sandbox/op/idmap.go",
	Look:   lookUser,
}

func lookUser(ctx context.Context, l *Look) {
	lookIDs(l)
	lookOwner(l)
	lookStrangers(l)
	lookIDMapped(l)
	lookCapabilities(ctx, l)
	if l.Lab.Features.Root() {
		lookOrdinary(ctx, l)
		lookSetgroups(ctx, l)
		lookSubordinate(ctx, l)
	}
}

// lookIDs shows one process's user id from both sides, and the map between.
func lookIDs(l *Look) {
	root := l.Container.Spec.RootUID()
	status := fmt.Sprintf("/proc/%d/status", l.Container.PID())
	l.Inside("id -u", "root inside", func(o Out) bool { return o.Text == "0" })
	l.Outside("grep Uid "+status, fmt.Sprintf("the same process, and it is user %d", root),
		readLine(status, "Uid:"), func(text string) bool { return root != 0 && text == allFour("Uid:", root) })
	m := l.Container.Spec.Linux.UIDMappings[0]
	l.Inside("cat /proc/self/uid_map", "first id inside, first outside, how many",
		func(o Out) bool {
			return strings.Join(strings.Fields(o.Text), " ") == fmt.Sprint(m.ContainerID, m.HostID, m.Size)
		})
}

// allFour is a line of /proc/PID/status: real, effective, saved and file system
// id, proc_pid_status(5).
func allFour(name string, id int) string { return fmt.Sprint(name, " ", id, " ", id, " ", id, " ", id) }
