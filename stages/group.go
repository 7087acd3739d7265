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

// groupPlace tells where the control group is: one directory in v2, in v1 one
// for each controller.
func (l *Look) groupPlace() string {
	if l.v2() {
		return l.group("memory")
	}
	return "cutaway/" + l.Container.Spec.ID + " below each of " + strings.Join(l.Lab.Features.Cgroup.Hierarchies(), ", ")
}

// groupName is a file of the group as the reader is shown it; GROUP-2 is the
// second container's.
func (l *Look) groupName(file string) string {
	if l.first != nil {
		return "GROUP-2/" + filepath.Base(file)
	}
	return "GROUP/" + filepath.Base(file)
}

// writeGroup writes to a file of the group by one write(2), as they want it.
func (l *Look) writeGroup(file, value string) error { return os.WriteFile(file, []byte(value), 0) }

// back gives a limit its value from before; that is not shown unless it fails.
func (l *Look) back(file, value string) {
	if err := l.writeGroup(file, value); err != nil {
		l.failed("echo "+value+" > "+l.groupName(file), err)
	}
}

// exists reports whether there is such a file.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
