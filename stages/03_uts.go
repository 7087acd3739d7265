package stages

import (
	"context"
	"os"

	"cutaway/stages/buildup"
)

// uts gives the container a host name of its own.
var uts = Stage{
	Part:   buildup.UTS,
	Title:  "a hostname of its own",
	Belief: "a container has its own hostname because it is another machine",
	Lesson: "Two hostnames, one kernel: the UTS namespace holds a few strings, nothing more.",
	Code:   "sandbox/op/hostname.go",
	Look:   lookUTS,
}

func lookUTS(_ context.Context, l *Look) {
	l.Inside("hostname", "the name that step 2 gave", func(o Out) bool { return o.Text == l.Container.Spec.Hostname })
	before := l.Outside("hostname", "the host has its own", os.Hostname, func(name string) bool { return name != "" })
	l.Inside("hostname renamed && hostname", "root here may rename this machine", func(o Out) bool { return o.Text == "renamed" })
	l.Outside("hostname", "but not that one", os.Hostname, func(name string) bool { return name == before && name != "renamed" })
	var kernel string
	l.Outside("uname -srv", "the kernel the host runs",
		func() (_ string, err error) { kernel, err = uname(); return kernel, err },
		func(s string) bool { return s != "" })
	l.Inside("uname -srv", "the very same", func(o Out) bool { return o.Text == kernel })
	id := l.Outside("cat /proc/sys/kernel/random/boot_id", "made up when the kernel started",
		readFile("/proc/sys/kernel/random/boot_id"), func(s string) bool { return len(s) == 36 })
	l.Inside("mount -t proc proc /proc && cat /proc/sys/kernel/random/boot_id", "started once, for both: there is no other machine",
		func(o Out) bool { return o.Text == id })
}
