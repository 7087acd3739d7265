package stages

import (
	"context"
	"fmt"
	"os"
	"strings"

	"cutaway/stages/buildup"
)

// chroot changes where path lookup begins.
var chroot = Stage{
	Part:   buildup.Chroot,
	Title:  "a root directory of its own",
	Belief: "chroot locks a process in",
	Lesson: "chroot moves the place where / begins and takes nothing away: whoever may chroot again walks out.",
	Code:   "sandbox/op/root.go",
	Look:   lookChroot,
}

func lookChroot(_ context.Context, l *Look) {
	pid := fmt.Sprint(l.Container.PID())
	tree, _ := inode(l.Container.Spec.Root.Path) // unread, it equals nothing the kernel says
	// ls aligns the number to the right.
	l.Inside("ls -di /", "the inode of the directory that was copied", func(o Out) bool { return strings.TrimSpace(o.Text) == tree })
	l.Outside("ls -di /", "another inode: the host's root",
		func() (string, error) { return inode("/") },
		func(s string) bool { return s != tree })
	files, _ := names(l.Container.Spec.Root.Path)
	l.Inside("echo $(ls /)", "the image's files, not the host's", func(o Out) bool { return o.Text == files && o.Has("www") })
	host, _ := os.Hostname()
	l.Inside("hostname", "the host's: nothing but / has changed", func(o Out) bool { return o.Text == host })
	ours, _ := namespaces("self")
	l.Outside(eachNamespace(pid), "still the host's own namespaces, all of them",
		func() (string, error) { return namespaces(pid) },
		func(theirs string) bool { return theirs == ours })
	self := os.Getpid()
	l.Inside(fmt.Sprintf("kill -0 %d && echo it could be killed", self), fmt.Sprintf("%d, cutaway on the host, is within reach", self),
		func(o Out) bool { return o.Text == "it could be killed" })
	lookEscape(l)
}

// lookEscape leaves the chroot, in two ways.
func lookEscape(l *Look) {
	l.Note("now the oldest escape there is, and here it works. chroot does not change the working directory. So: chroot into a " +
		"directory below, stay where you are, which now is outside, and go up by \"..\", which only the root directory would stop.")
	host, _ := identity("/") // unread, it equals nothing the kernel says
	out := func(o Out) bool {
		return o.Status == 0 && o.Has("escaped: yes") && o.lineText("root after:") == "root after: "+host
	}
	l.Inside("probe escape", "it is out: root is the host's "+host, out)
	l.Note("does it help to go to the new root, as careful programs do? A directory that was opened before is still open: fchdir leads back to it.")
	l.Inside("probe escape fd", "out again: chroot closes no descriptors", out)
}
