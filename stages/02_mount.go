package stages

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"cutaway/stages/buildup"
)

// mount gives the process a mount table of its own and makes its root the root
// of that table.
var mount = Stage{
	Part:   buildup.Mount,
	Title:  "a mount table of its own",
	Belief: "pivot_root is another chroot: the host's files are still up there, out of sight",
	Lesson: "pivot_root leaves no way up: the old root is not hidden, it is not in this mount table any more. But a table of one's own is not all: what is mounted below a shared mount shows up in its peers' tables too.",
	Code:   "sandbox/op/root.go",
	Look:   lookMount,
}

func lookMount(_ context.Context, l *Look) {
	pid, name := l.Container.PID(), "cutaway-"+l.Container.Spec.ID
	l.Inside("mount -t tmpfs "+name+" /mnt && echo hello >/mnt/note && ls /mnt", "a mount made by the container itself",
		func(o Out) bool { return o.Text == "note" })
	l.Outside(fmt.Sprintf("findmnt -N %d -o TARGET,FSTYPE,PROPAGATION", pid), "its whole mount table: nothing of the host's, nothing shared",
		func() (string, error) { return mountTable(pid) }, onlyOwnMounts)
	l.Outside("grep "+name+" /proc/self/mountinfo", "none of it in the host's table",
		func() (string, error) {
			table, err := readFile("/proc/self/mountinfo")()
			return containing(table, name), err
		},
		func(found string) bool { return found == "" })
	under := filepath.Join(l.Container.Spec.Root.Path, "mnt")
	l.Outside("ls "+under, "the same directory; here nothing covers it",
		func() (string, error) { return names(under) },
		func(s string) bool { return s == "" })
	lookNoEscape(l)
	lookPropagation(l)
	lookPivot(l)
	lookBind(l)
}

// lookNoEscape tries what led out of the chroot.
func lookNoEscape(l *Look) {
	tree, _ := identity(l.Container.Spec.Root.Path) // unread, it equals nothing the kernel says
	within := func(o Out) bool {
		return o.Status == 1 && o.Has("escaped: no") && o.lineText("root before:") == "root before: "+tree && o.lineText("root after:") == "root after: "+tree
	}
	l.Note("the escapes of stage 01 once more. Each of their calls succeeds, but they end where they began, on purpose: the way up is gone.")
	l.Inside("probe escape", "the top of this mount table is the container's /", within)
	l.Inside("probe escape fd", "an open directory leads there, and no higher", within)
}

// onlyOwnMounts checks a table for the root and the one mount made in it.
func onlyOwnMounts(table string) bool {
	var targets []string
	for l := range strings.Lines(table) {
		f := strings.Fields(l)
		if len(f) != 3 || f[0] != "TARGET" && f[2] != "private" {
			return false
		}
		targets = append(targets, f[0])
	}
	return slices.Equal(targets, []string{"TARGET", "/", "/mnt"})
}
