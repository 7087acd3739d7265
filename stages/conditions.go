package stages

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"cutaway/sandbox/features"
	"cutaway/sandbox/trace"
)

// Conditions are those under which a run on this machine happens: what the
// numbers on a page depend on. What cannot be read is left out.
func Conditions(f features.Features, program string) trace.Conditions {
	kernel, err := uname()
	if err != nil {
		kernel = ""
	}
	return trace.Conditions{Kernel: kernel, Cgroups: f.Cgroup.Mode, Machine: processors(), Program: program, Date: time.Now()}
}

// processors says how many there are, and of what model where the kernel knows:
// proc_cpuinfo(5). An emulated one says so in its model's name.
func processors() string {
	text := fmt.Sprintf("%s, processors: %d", runtime.GOARCH, runtime.NumCPU())
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return text
	}
	for l := range strings.Lines(string(info)) {
		if key, model, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(key) == "model name" {
			return text + ", " + strings.TrimSpace(model)
		}
	}
	return text
}
