package stages

import (
	"strings"
)

// table is what a mount table says of the mounts below some path: where, with
// which options, and what it shares; proc_pid_mountinfo(5).
func table(path string) string { return "grep -o '" + path + ".* -' /proc/self/mountinfo" }

// lookPropagation makes mount namespaces inside the container, all copies of its
// own, and has mounts go from one to another: mount_namespaces(7), SHARED
// SUBTREES. A file in /run keeps each alive without a process: it is bound, until
// the kernel lets it. A namespace may be bound in older ones only, and Linux 6.18
// counts namespaces on each processor apart (kernel/nstree.c, ns_tree_gen_id), so
// that it takes some for older than they are: EINVAL. The host takes no part: what
// it shares with nobody cannot leak to it.
func lookPropagation(l *Look) {
	l.Note("a mount table of its own does not mean that nobody else sees a mount. That is a property of the mount it is made below: now /mnt becomes shared.")
	l.Inside("mount -t proc proc /proc; mount --make-shared /mnt; "+table("/mnt"), "copies of it will be its peers, in one group",
		func(o Out) bool { return strings.HasPrefix(o.Text, "/mnt rw,relatime shared:") })
	l.Note("three copies of this mount table: one keeps /mnt shared, one makes it a slave, one makes it private. A file keeps each alive; Linux 6.18 refuses that now and then, hence \"until\".")
	// In /run, which is private: a namespace cannot be kept in what it shares.
	const each = "cd /run; for p in shared slave private; do "
	l.Inside(each+"touch $p; until unshare --mount=$p --propagation $p true 2>&-; do :; done; echo $p: $(nsenter --mount=$p "+table("/mnt")+"); done",
		"a peer, a receiver, a stranger", func(o Out) bool {
			return inLines(o.Text, "shared: /mnt rw,relatime shared:", "slave: /mnt rw,relatime master:", "private: /mnt rw,relatime -")
		})
	l.Predict("each of the three mounts something below /mnt. What of it appears here?")
	l.Inside(each+"mkdir /mnt/$p; nsenter --mount=$p mount -t tmpfs by-$p /mnt/$p; done; grep -o '/mnt/.*' /proc/self/mountinfo",
		"only what the peer did has leaked", func(o Out) bool { return inLines(o.Text, "/mnt/shared ") && o.Has("tmpfs by-shared ") })
	l.Predict("now the other way: something is mounted here. Who of the three gets it?")
	l.Inside("mkdir /mnt/here; mount -t tmpfs by-here /mnt/here; "+each+"echo $p: $(nsenter --mount=$p grep -o by-here /proc/self/mountinfo); done",
		"a slave receives and does not send", says("shared: by-here\nslave: by-here\nprivate:"))
	l.Outside("grep -E 'by-(shared|here)' /proc/self/mountinfo", "the host shared nothing with them, so nothing got here",
		func() (string, error) {
			table, err := readFile("/proc/self/mountinfo")()
			return containing(table, "by-shared", "by-here"), err
		},
		is(""))
}

// inLines reports whether a text has as many lines as there are beginnings, each
// with its own.
func inLines(text string, beginnings ...string) bool {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if i >= len(beginnings) || !strings.HasPrefix(line, beginnings[i]) {
			return false
		}
	}
	return len(lines) == len(beginnings)
}

// lookPivot has pivot_root fail in the two ways that puzzle people, and then
// succeed: pivot_root(2), ERRORS. /mnt is a shared mount by now.
func lookPivot(l *Look) {
	l.Note("pivot_root wants two mounts that can change places. The next two calls fail, on purpose, the first with EBUSY, the second with EINVAL.")
	l.Inside("probe call pivot_root /etc /etc", "a directory of the root mount itself: there is nothing to change places with",
		func(o Out) bool { return o.Status == 1 && o.Has("EBUSY") })
	l.Inside("mkdir /mnt/old; probe call pivot_root /mnt /mnt/old", "a mount, but shared: its peers would have to follow",
		func(o Out) bool { return o.Status == 1 && o.Has("EINVAL") })
	l.Inside("unshare --mount --propagation private probe call pivot_root /mnt /mnt/old", "where all mounts are private the same call succeeds: that is why they were made so first",
		func(o Out) bool { return o.Status == 0 && o.Has("= 0") })
}
