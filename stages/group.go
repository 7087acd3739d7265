package stages

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"cutaway/sandbox/features"
)

// group is the directory of the container's control group that has the
// controller, by its v2 name; "" where no hierarchy has it.
func (l *Look) group(controller string) string {
	hierarchy, ok := l.Lab.Features.Cgroup.Dir(controller)
	if !ok {
		return ""
	}
	return filepath.Join(hierarchy, "cutaway", l.Container.Spec.ID)
}

// v2 reports whether the machine has the one hierarchy of cgroup v2.
func (l *Look) v2() bool { return l.Lab.Features.Cgroup.Mode == features.Unified }

// groupFile is the path of a file of the control group, which has one name in v2
// and another in v1; "" where no hierarchy has the controller.
func (l *Look) groupFile(controller, v2, v1 string) string {
	dir := l.group(controller)
	switch {
	case dir == "":
		return ""
	case l.v2():
		return filepath.Join(dir, v2)
	}
	return filepath.Join(dir, v1)
}

// groupsOf reads the lines of /proc/PID/cgroup that name a group of the lab.
func groupsOf(file string) func() (string, error) {
	return func() (string, error) {
		b, err := os.ReadFile(file)
		var ours strings.Builder
		for line := range strings.Lines(string(b)) {
			if strings.Contains(line, ":/cutaway/") {
				ours.WriteString(line)
			}
		}
		return ours.String(), err
	}
}

// unlimited reads a memory limit: v2 says max, v1 the largest multiple of the
// page size.
func unlimited(text string) bool {
	n, err := strconv.ParseInt(text, 10, 64)
	return text == "max" || err == nil && n >= 1<<62
}
