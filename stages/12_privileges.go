package stages

import (
	"context"
	"slices"
	"strings"

	"cutaway/sandbox/plan"
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
	p.Restrict, p.Capabilities, p.NoNewPrivileges, p.NewKeyring = true, Capabilities, true, true
	p.Rlimits = []plan.Rlimit{{Type: "RLIMIT_NOFILE", Soft: 1024, Hard: 4096}}
	s.Linux.Seccomp = m.Seccomp
}

func lookPrivileges(ctx context.Context, l *Look) {
	l.Inside("probe ids", "uid 0 with few capabilities, and a filter", func(o Out) bool {
		names := strings.Fields(o.Text[max(0, strings.Index(o.Text, "CapEff")):])
		return o.Has("uid 0 euid 0") && o.Has("NoNewPrivs 1") && o.Has("Seccomp 2") &&
			slices.Equal(slices.Sorted(slices.Values(names[min(1, len(names)):])), slices.Sorted(slices.Values(Capabilities)))
	})
	lookWalls(ctx, l)
	lookProfile(l)
	lookSetuid(ctx, l)
	lookRlimits(l)
}
