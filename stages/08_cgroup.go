package stages

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"cutaway/sandbox/plan"
	"cutaway/stages/buildup"
)

// cgroup puts the container into a control group and makes that the root of
// what it sees.
var cgroup = Stage{
	Part:   buildup.Cgroup,
	Title:  "a view of control groups of its own",
	Belief: "the cgroup namespace sets the limits",
	Lesson: "A control group is a directory with processes in it. The namespace only changes where its path begins; limits will be files in that directory.",
	Code:   "sandbox/op/cgroup.go",
	Look:   lookCgroup,
}

func lookCgroup(_ context.Context, l *Look) {
	l.Inside("cat /proc/self/cgroup", "it seems to be at the top of everything", func(o Out) bool {
		for line := range strings.Lines(o.Text) {
			if !strings.HasSuffix(line, ":/\n") && !strings.HasSuffix(line, ":/") {
				return false
			}
		}
		return o.Status == 0 && o.Text != ""
	})
	id, pid := l.Container.Spec.ID, l.Container.PID()
	groups := plan.CgroupDirs(l.Container.Spec, l.Lab.Features)
	file := fmt.Sprintf("/proc/%d/cgroup", pid)
	l.Outside("grep /cutaway/ "+file, "the same process is in the lab's group, says the host", groupsOf(file),
		func(text string) bool {
			return len(groups) > 0 && strings.Count(text, ":/cutaway/"+id+"\n")+1 == len(groups) && strings.HasSuffix(text, ":/cutaway/"+id)
		})
	if len(groups) == 0 { // then the probe above has failed
		return
	}
	procs := filepath.Join(groups[0], "cgroup.procs")
	l.Outside("cat "+procs, "the group is a directory, and this its members", readFile(procs),
		func(text string) bool { return text == strconv.Itoa(pid) })
	limit := l.groupFile("memory", "memory.max", "memory.limit_in_bytes")
	if limit == "" {
		l.Note("no limit to show: %v", l.Lab.Features.HaveController("memory"))
		return
	}
	l.Outside("cat "+limit, "no limit at all: the namespace has set none", readFile(limit), unlimited)
}
