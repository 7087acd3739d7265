package stages

import (
	"context"

	"cutaway/sandbox/plan"
)

// privileges takes from root most of what makes it root.
var privileges = Stage{
	Slug:   "12-privileges",
	Title:  "root that cannot",
	Belief: "root can do everything",
	Lesson: "Root is a set of capabilities: take them one by one, and add a filter for the calls nobody here needs.",
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

func lookPrivileges(_ context.Context, l *Look) {
	l.Inside("probe call mount", "refused", func(o Out) bool { return o.Status == 1 && o.Has("EPERM") })
}
