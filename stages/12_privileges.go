package stages

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"cutaway/sandbox/plan"
	"cutaway/sandbox/profile"
)

// privileges takes from root most of what makes it root.
var privileges = Stage{
	Slug:   "12-privileges",
	Title:  "root that cannot",
	Belief: "root can do everything, and uid 0 is what makes it root",
	Lesson: "Root is a set of capabilities, and most of them are gone; a filter refuses the calls nobody here needs; and no program gives anything back. Each wall holds without the others.",
	Code:   "sandbox/op/caps.go",
	Add:    addPrivileges,
	Look:   lookPrivileges,
}

// Capabilities are what docker leaves to root by default.
var Capabilities = []string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
	"CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SYS_CHROOT", "CAP_MKNOD", "CAP_AUDIT_WRITE", "CAP_SETFCAP",
}

func addPrivileges(s *plan.Spec, m Materials) {
	p := &s.Process
	p.Restrict, p.Capabilities, p.NoNewPrivileges = true, Capabilities, true
	p.Rlimits = []plan.Rlimit{{Type: "RLIMIT_NOFILE", Soft: 1024, Hard: 4096}}
	s.Linux.Seccomp = m.Seccomp
}

// lookPrivileges finds out for each refused call who refuses it: the same call
// in containers that lack one of the walls.
func lookPrivileges(ctx context.Context, l *Look) {
	l.Inside("probe ids", "uid 0 with few capabilities, and a filter", func(o Out) bool {
		names := strings.Fields(o.Text[max(0, strings.Index(o.Text, "CapEff")):])
		return o.Has("uid 0 euid 0") && o.Has("NoNewPrivs 1") && o.Has("Seccomp 2") &&
			slices.Equal(slices.Sorted(slices.Values(names[min(1, len(names)):])), slices.Sorted(slices.Values(Capabilities)))
	})
	lookMountRefused(ctx, l)
	lookFilterRefuses(ctx, l)
	lookCapabilityRefuses(ctx, l)
	lookSetuid(ctx, l)
	l.Note("the next command fails, on purpose: raising a hard limit takes CAP_SYS_RESOURCE")
	l.Inside("ulimit -Sn; ulimit -Hn; ulimit -Hn 5000", "1024 open files, 4096 at most, never more", func(o Out) bool {
		return strings.HasPrefix(o.Text, "1024\n4096\n") && o.Has("Operation not permitted")
	})
}

// eperm and done tell how a call of probe ended.
func eperm(o Out) bool { return o.Status == 1 && o.Has("= -1 EPERM") }
func done(o Out) bool  { return o.Status == 0 }

// without makes another container that differs by change, runs one command in
// it and takes it down. why is told first.
func (l *Look) without(ctx context.Context, why string, change func(*plan.Spec), command, expect string, check func(Out) bool) {
	l.Note("%s", why)
	spec := l.Again()
	change(&spec)
	other, err := l.Start(ctx, spec)
	if !l.started(err) {
		return
	}
	other.Inside(command, expect, check)
	l.ended(other)
}

func noFilter(s *plan.Spec)        { s.Linux.Seccomp = nil }
func allCapabilities(s *plan.Spec) { s.Process.Restrict, s.Process.Capabilities = false, nil }

// lookMountRefused looks for the refuser of a call that two walls stand before.
func lookMountRefused(ctx context.Context, l *Look) {
	const command = "probe call mount"
	l.Note("the next call fails with EPERM, on purpose; then the same call in other containers, to find out who says no")
	l.Inside(command, "root may not mount", eperm)
	l.without(ctx, "another container, without the filter: only the capability CAP_SYS_ADMIN is missing", noFilter,
		command, "the missing capability refuses", eperm)
	l.without(ctx, "another, with all capabilities, but with the filter", allCapabilities,
		command, "the filter refuses as well", eperm)
	l.without(ctx, "another, with all capabilities and no filter: nobody says no", func(s *plan.Spec) { noFilter(s); allCapabilities(s) },
		command, "the mount is made", done)
	l.Note("what the filter says: %s", profile.Explain(*l.Materials.Seccomp, "mount"))
}

// lookFilterRefuses shows a call for which no capability is asked.
func lookFilterRefuses(ctx context.Context, l *Look) {
	const command = "probe call keyctl"
	l.Note("keyctl needs no capability. It fails with EPERM all the same, on purpose: key rings know no container. %s",
		profile.Explain(*l.Materials.Seccomp, "keyctl"))
	l.Inside(command, "refused", eperm)
	l.without(ctx, "another container, without the filter", noFilter, command, "so it was the filter", done)
}

// lookCapabilityRefuses shows a call that the filter lets through. An ordinary
// user has only one id to give a file to, so there it is chroot.
func lookCapabilityRefuses(ctx context.Context, l *Look) {
	call, capability, command := "fchownat", "CAP_CHOWN", fmt.Sprintf("probe call chown /tmp %d", app)
	if !l.Lab.Features.Root() {
		call, capability, command = "chroot", "CAP_SYS_CHROOT", "probe call chroot"
	}
	l.Note("the filter has nothing against %s", profile.Explain(*l.Materials.Seccomp, call))
	l.Inside(command, capability+" is among those left to root", done)
	l.without(ctx, "another container, without "+capability+": the call fails with EPERM, on purpose", func(s *plan.Spec) {
		s.Process.Capabilities = slices.DeleteFunc(slices.Clone(s.Process.Capabilities), func(c string) bool { return c == capability })
	}, command, "the capability, not the uid, is what it takes", eperm)
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
	l.without(ctx, "another container, without no_new_privs", func(s *plan.Spec) { s.Process.NoNewPrivileges = false },
		command, "it makes root of an ordinary user", func(o Out) bool { return o.Text == fmt.Sprintf("uid %d euid 0", app) })
}
