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

// count reads a counter of the control group: a line of a file, "oom_kill 1". It
// returns the number, and reports whether that is as expected.
func (l *Look) count(file, key, expect string, check func(int) bool) int {
	var n int
	l.Outside("grep -w "+key+" "+file, expect, readLine(file, key+" "),
		func(text string) bool { return number(strings.TrimPrefix(text, key), &n) && check(n) })
	return n
}

// lastNumber reads what follows the last "=" of a line of a pressure file:
// "some avg10=0.00 avg60=0.00 avg300=0.00 total=1234".
func lastNumber(text string) int {
	var n int
	number(text[strings.LastIndex(text, "=")+1:], &n)
	return n
}

// exists reports whether there is such a file.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
