package stages

import (
	"fmt"
	"strings"

	"cutaway/sandbox/op"
)

// lookDelegation gives the container its own group, to divide it further.
func lookDelegation(l *Look) {
	if !l.v2() {
		l.Note("not shown: delegation, and the rule that a group which passes controllers on holds no processes itself. Both are v2's; v1 has neither, and giving a group away is not safe there: cgroups(7)")
		return
	}
	refused := func(words string) func(Out) bool {
		return func(o Out) bool { return o.Status != 0 && o.Has(words) }
	}
	l.Note("the container may mount its group, which is the root of what it sees; but the directory belongs to the host's root. The next mkdir fails with EACCES, on purpose")
	l.Inside("mount -t cgroup2 cgroup2 /mnt && mkdir /mnt/app", "root inside is nobody here", refused("Permission denied"))
	spec := l.Container.Spec
	delegate := op.CgroupDelegate{Dir: l.group("memory"), UID: spec.RootUID(), GID: spec.RootGID()}
	err := l.Container.Extend(delegate)
	l.Outside(strings.ReplaceAll(delegate.Shell(), delegate.Dir, "GROUP"), "delegated: the directory and three files are its own now",
		func() (string, error) { return "", err }, func(string) bool { return true })
	l.Inside("mkdir /mnt/app && ls /mnt/app | wc -l", "a group of its own making, with files for everything",
		func(o Out) bool { return o.Status == 0 && o.Text != "0" })
	const pass = "echo +memory > /mnt/cgroup.subtree_control"
	l.Note("now it passes the memory controller on to that group. The next write fails with EBUSY, on purpose: a group that passes controllers on may hold no processes itself, and here number 1 still is")
	l.Inside(pass, "no internal processes", refused("busy"))
	l.Effect("while read p; do echo $p > /mnt/app/cgroup.procs; done < /mnt/cgroup.procs; "+pass, "all have moved down, so it may",
		[]string{"cgroup.subtree_control"}, func(o Out, e effect) bool { return o.Status == 0 && e.is["cgroup.subtree_control"] == "memory" })
	l.Inside("echo 32M > /mnt/app/memory.max; cat /mnt/app/memory.max", "a limit that it sets for a part of itself", func(o Out) bool { return o.Text == fmt.Sprint(32<<20) })
	l.Note("but the limit of the whole stays the host's: the next write fails with EACCES, on purpose")
	l.Inside("echo max > /mnt/memory.max", "nobody raises the limit they are under", refused("Permission denied"))
}
