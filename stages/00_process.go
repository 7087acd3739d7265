package stages

import (
	"context"
	"fmt"
	"os"

	"cutaway/sandbox/plan"
)

// process is where everything begins: a program started by fork and exec, with
// nothing of its own yet.
var process = Stage{
	Slug:   "00-process",
	Title:  "an ordinary process",
	Belief: "a container is a thing of its own, beside processes",
	Lesson: "Nothing is isolated yet: same namespaces, same root, same control group as the shell you started from.",
	Code:   "sandbox/pid1/init.go",
	Add:    func(*plan.Spec, Materials) {},
	Look:   lookProcess,
}

func lookProcess(_ context.Context, l *Look) {
	pid := l.Container.PID()
	for _, ns := range []string{"mnt", "uts", "pid", "net", "user", "cgroup"} {
		ours, err := os.Readlink("/proc/self/ns/" + ns)
		if err != nil {
			ours = err.Error()
		}
		l.Outside(fmt.Sprintf("readlink /proc/%d/ns/%s", pid, ns), "the namespace is the host's own",
			func() (string, error) { return os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", pid, ns)) },
			func(theirs string) bool { return theirs == ours })
	}
	l.Inside("echo $$", "the process knows itself by the pid the host knows",
		func(o Out) bool { return o.Text == fmt.Sprint(pid) })
}
