package stages

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"cutaway/sandbox/plan"
)

// eperm and done tell how a call of probe ended.
func eperm(o Out) bool { return o.Status == 1 && o.Has("= -1 EPERM") }
func done(o Out) bool  { return o.Status == 0 }

// with makes another container that differs by changes, looks at it and takes
// it down. why is told first.
func (l *Look) with(ctx context.Context, why string, look func(other *Look), changes ...func(*plan.Spec)) {
	l.Note("%s", why)
	spec := l.Again()
	for _, change := range changes {
		change(&spec)
	}
	other, err := l.Start(ctx, spec)
	if !l.started(err) {
		return
	}
	look(other)
	l.ended(other)
}

func noFilter(s *plan.Spec)        { s.Linux.Seccomp = nil }
func allCapabilities(s *plan.Spec) { s.Process.Restrict, s.Process.Capabilities = false, nil }
func mayGain(s *plan.Spec)         { s.Process.NoNewPrivileges = false }
func hostUsers(s *plan.Spec) {
	s.Drop("user")
	s.Linux.UIDMappings, s.Linux.GIDMappings = nil, nil
}

// lookWalls finds out who refuses a call that two walls stand before, by the
// same call in containers that lack one of them; and on the way, what each wall
// is made of.
func lookWalls(ctx context.Context, l *Look) {
	const mount = "probe call mount"
	l.Note("the next call fails with EPERM, on purpose; then the same call in other containers, to find out who says no")
	l.Inside(mount, "root may not mount", eperm)
	l.with(ctx, "another container, without the filter: only the capability CAP_SYS_ADMIN is missing", func(other *Look) {
		other.Inside(mount, "the missing capability refuses", eperm)
	}, noFilter)
	var filtered Out
	var failed error
	l.with(ctx, "another, with all capabilities, but with the filter", func(other *Look) {
		other.Inside(mount, "the filter refuses as well", eperm)
		filtered, failed = other.run(manyCalls())
	}, allCapabilities)
	var rest []string
	l.with(ctx, "another, with all capabilities and no filter: nobody says no", func(other *Look) {
		other.Inside(mount, "the mount is made", done)
		free, err := other.run(manyCalls())
		lookDecisions(other, filtered, free, errors.Join(failed, err))
		rest = lookLost(other)
	}, noFilter, allCapabilities)
	l.with(ctx, "the rest the kernel asks for in the first user namespace only, whatever root of another has. So the last container is made without one of its own", func(other *Look) {
		lookLostOutside(other, rest)
	}, noFilter, allCapabilities, mayGain, hostUsers)
	l.Note("%s", neverRefused)
}

// neverRefused are the capabilities that no refused call shows.
const neverRefused = "not shown: CAP_FSETID and CAP_BLOCK_SUSPEND, for without them nothing fails, a bit is dropped silently; CAP_AUDIT_WRITE and CAP_AUDIT_CONTROL, " +
	"for audit refuses in a message, not in a call's result; CAP_NET_BROADCAST, for no code asks for it; CAP_MAC_ADMIN and CAP_MAC_OVERRIDE, for only Smack asks"

// refusedAnyway begins the line of probe lost with the capabilities that make no
// difference where it runs.
const refusedAnyway = "refused either way:"

// lookLost has every capability lost, one at a time, by one call. It gives the
// names of those that made no difference.
func lookLost(l *Look) (same []string) {
	l.Note("what is each capability for? Two processes make the same call, one with all of them and one with all but this; the second is refused, on purpose")
	for _, about := range []string{"files", "processes", "network", "machine"} {
		out := l.Inside("probe lost "+about, "each row is one capability, lost", lossShown)
		same = append(same, noDifference(out)...)
	}
	return same
}

// noDifference reads from the end of the table the capabilities without which
// the call was refused as much as with them.
func noDifference(o Out) []string {
	_, after, _ := strings.Cut(o.Text, refusedAnyway)
	after, _, _ = strings.Cut(after, "not refused:")
	return strings.Fields(after)
}

// lookLostOutside shows those in the first user namespace.
func lookLostOutside(l *Look, names []string) {
	const most = 9 // rows that are shown in full
	for len(names) > 0 {
		n := min(most, len(names))
		out := l.Inside("probe lost "+strings.Join(names[:n], " "), "they count against what the machine owns", lossShown)
		if same := noDifference(out); len(same) > 0 {
			l.Note("%s makes no difference here: this kernel asks for another one in its place", strings.Join(same, " "))
		}
		names = names[n:]
	}
}

// lossShown checks the table: at least one capability made the difference, and
// each row tells two results apart.
func lossShown(o Out) bool {
	rows := 0
	for line := range strings.Lines(o.Text) {
		f := strings.Fields(line)
		if len(f) < 4 || f[0] == "capability" || !strings.HasPrefix(f[len(f)-1], "E") {
			continue
		}
		if without, with := f[len(f)-1], f[len(f)-2]; without == with || without != "EPERM" && without != "EACCES" {
			return false
		}
		rows++
	}
	return o.Status == 0 && rows > 0
}

// app is the ordinary user of the built-in image, by its /etc/passwd.
const app = 1000

// lookSetuid runs a setuid program of root's as somebody else.
func lookSetuid(ctx context.Context, l *Look) {
	if !l.Lab.Features.Root() {
		l.Note("a container of an ordinary user has one user only: there is nobody to try a setuid program on")
		return
	}
	const command = "cp /usr/bin/probe /tmp/suid; chmod 4755 /tmp/suid; su app -c '/tmp/suid ids' | head -1"
	l.Inside(command, "no_new_privs: the setuid bit is ignored", func(o Out) bool { return o.Text == fmt.Sprintf("uid %d euid %d", app, app) })
	l.with(ctx, "another container, without no_new_privs", func(other *Look) {
		other.Inside(command, "it makes root of an ordinary user", func(o Out) bool { return o.Text == fmt.Sprintf("uid %d euid 0", app) })
	}, mayGain)
}

// lookRlimits reaches a limit, and cannot raise it.
func lookRlimits(l *Look) {
	file := fmt.Sprintf("/proc/%d/limits", l.Container.PID())
	l.Outside("grep 'open files' "+file, "of each process, not of the group: soft limit, hard limit", readLine(file, "Max open files"),
		func(text string) bool { return strings.HasPrefix(text, "Max open files 1024 4096") })
	l.Note("any process may raise its soft limit up to the hard one, as the next program does; there it fails with EMFILE, on purpose")
	l.Inside("probe files 5000", "no more than the hard limit", func(o Out) bool {
		var opened int
		_, err := fmt.Sscanf(o.Text, "opened %d of 5000, then:", &opened)
		return err == nil && o.Status == 1 && o.Has("EMFILE") && opened > 4000 && opened <= 4096
	})
	l.Note("the next command fails, on purpose: raising a hard limit takes CAP_SYS_RESOURCE")
	l.Inside("ulimit -Hn 5000", "4096 at most, never more", func(o Out) bool { return o.Status != 0 && o.Has("Operation not permitted") })
}
