package stages

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"cutaway/sandbox/features"
	"cutaway/sandbox/plan"
)

// user makes root inside somebody ordinary outside.
var user = Stage{
	Slug:   "07-user",
	Title:  "users of its own",
	Belief: "all capabilities means all-powerful: root in a container is root",
	Lesson: "An id is a number in a user namespace, and a capability counts only against what that namespace owns. Root inside owns what was made inside, and nothing else.",
	Code:   "sandbox/op/idmap.go",
	Needs:  func(f features.Features) error { return f.HaveNamespace("user") },
	Add: func(s *plan.Spec, m Materials) {
		s.Add("user")
		s.Linux.UIDMappings, s.Linux.GIDMappings = m.UIDMappings, m.GIDMappings
	},
	Look: lookUser,
}

func lookUser(ctx context.Context, l *Look) {
	lookIDs(l)
	lookOwner(l)
	lookCapabilities(ctx, l)
	if l.Lab.Features.Root() {
		lookOrdinary(ctx, l)
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

// lookOwner has root inside make a file, and asks both sides whose it is.
func lookOwner(l *Look) {
	const file = "/tmp/mine"
	l.Inside("touch "+file+" && stat -c %u "+file, "a file made inside belongs to root inside", func(o Out) bool { return o.Text == "0" })
	outside := filepath.Join(l.Container.Spec.Root.Path, file)
	l.Outside("stat -c %u .../rootfs"+file, "on the disk it belongs to nobody in particular",
		func() (string, error) { return ownerOf(outside) },
		func(text string) bool { return text == fmt.Sprint(l.Container.Spec.RootUID()) })
}

// lookCapabilities uses the same capability against a UTS namespace that the
// container's user namespace owns, and against the host's, which it does not.
func lookCapabilities(ctx context.Context, l *Look) {
	l.Inside("probe ids | grep CapEff", "every capability there is", func(o Out) bool { return o.Text == "CapEff all" })
	l.Inside("probe call sethostname", "allowed: this UTS namespace is owned by ours",
		func(o Out) bool { return o.Status == 0 && strings.HasSuffix(o.Text, "= 0") })
	l.Note("now a second container that keeps the host's UTS namespace: the same call fails with EPERM there, on purpose")
	spec := l.Again()
	spec.Drop("uts")
	spec.Hostname, spec.Domainname, spec.Net = "", "", plan.Net{Mode: "none"}
	second, err := l.Start(ctx, spec)
	if !l.started(err) {
		return
	}
	defer l.ended(second)
	name, nameErr := os.Hostname()
	second.Inside("probe ids | grep CapEff", "again every capability", func(o Out) bool { return o.Text == "CapEff all" })
	second.Inside("probe call sethostname", "refused: they do not count against the host's",
		func(o Out) bool { return o.Status == 1 && o.Has("EPERM") })
	l.Outside("hostname", "the host is called what it was", os.Hostname,
		func(now string) bool { return nameErr == nil && now == name })
}
