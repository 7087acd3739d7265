package stages

import (
	"context"
	"os"

	"cutaway/sandbox/features"
	"cutaway/sandbox/plan"
)

// uts gives the container a host name of its own.
var uts = Stage{
	Slug:   "03-uts",
	Title:  "a hostname of its own",
	Belief: "a container has its own hostname because it is another machine",
	Lesson: "Two hostnames, one kernel: the UTS namespace holds a few strings, nothing more.",
	Code:   "sandbox/op/hostname.go",
	Needs:  func(f features.Features) error { return f.HaveNamespace("uts") },
	Add: func(s *plan.Spec, _ Materials) {
		s.Add("uts")
		s.Hostname, s.Domainname = "cutaway", "lab"
	},
	Look: lookUTS,
}

func lookUTS(_ context.Context, l *Look) {
	l.Inside("hostname", "the name this stage gave", func(o Out) bool { return o.Text == "cutaway" })
	l.Outside("hostname", "the host keeps its own", os.Hostname, func(name string) bool { return name != "cutaway" })
}
