package stages

import (
	"context"
	"fmt"

	"cutaway/sandbox/features"
	"cutaway/sandbox/plan"
)

// limits bounds what the container may use.
var limits = Stage{
	Slug:   "10-limits",
	Title:  "limits",
	Belief: "free and top show my limit, and beyond it malloc fails",
	Lesson: "Namespaces change what is seen, control groups what is used. Beyond memory.max nobody is told: somebody is killed, and the group counts it.",
	Code:   "sandbox/plan/limits.go",
	Needs: func(f features.Features) error {
		if !f.Root() {
			return errNoGroups
		}
		for _, controller := range []string{"memory", "pids", "cpu"} {
			if err := f.HaveController(controller); err != nil {
				return err
			}
		}
		return nil
	},
	Add: func(s *plan.Spec, _ Materials) {
		s.Linux.Resources = plan.Resources{MemoryMax: 64 << 20, MemoryHigh: 62 << 20, PidsMax: 64, CPUMax: "50000 100000", CPUWeight: 50}
	},
	Look: lookLimits,
}

func lookLimits(_ context.Context, l *Look) {
	lookMemory(l)
	lookPids(l)
	lookCPU(l)
	lookFreezer(l)
	lookPressure(l)
}

// lookMemory goes beyond the limit, which /proc does not know.
func lookMemory(l *Look) {
	host, hostErr := readLine("/proc/meminfo", "MemTotal:")()
	l.Inside("grep MemTotal /proc/meminfo | tr -s ' '", "the whole machine's: /proc knows no group",
		func(o Out) bool { return hostErr == nil && o.Text == host })
	most := l.Container.Spec.Linux.Resources.MemoryMax
	limit := l.groupFile("memory", "memory.max", "memory.limit_in_bytes")
	l.Outside("cat "+limit, "the limit is here", readFile(limit), func(text string) bool { return text == fmt.Sprint(most) })
	events := l.groupFile("memory", "memory.events", "memory.oom_control")
	before := l.count(events, "oom_kill", "so far nobody was killed", func(n int) bool { return n == 0 })
	l.Note("the next program touches twice the limit. It is not refused the memory: it is killed, on purpose")
	l.Inside("probe eat 128M", "137 is 128 + 9: SIGKILL", func(o Out) bool { return o.Status == 137 })
	l.count(events, "oom_kill", "the group has counted one more", func(n int) bool { return n == before+1 })
	peak := l.groupFile("memory", "memory.peak", "memory.max_usage_in_bytes")
	if !exists(peak) {
		l.Note("how much it was at most is not told: memory.peak is new in Linux 5.19, this is %s", l.Lab.Features.Kernel)
		return
	}
	// What the kernel may not refuse, as it dies, is charged beyond the limit:
	// memory.max in cgroup-v2.rst.
	const slack = 1 << 20
	l.Outside("cat "+peak, "the most it ever had: up to the wall", readFile(peak), func(text string) bool {
		var used int
		return number(text, &used) && int64(used) <= most+slack && int64(used) > most/2
	})
}

// lookPids has a fork bomb stopped.
func lookPids(l *Look) {
	events := l.groupFile("pids", "pids.events", "pids.events")
	before := l.count(events, "max", "no fork was refused so far", func(n int) bool { return n == 0 })
	most := l.Container.Spec.Linux.Resources.PidsMax
	l.Note("now a small fork bomb: 100 children where %d processes are allowed; it gets EAGAIN, on purpose", most)
	l.Inside("probe fork 100", "refused at the limit, and the machine is well", func(o Out) bool {
		var forked, of int64
		_, err := fmt.Sscanf(o.Text, "forked %d of %d,", &forked, &of)
		return err == nil && o.Status == 1 && o.Has("EAGAIN") && forked < most && forked > most/2
	})
	l.count(events, "max", "the group has counted the refusal", func(n int) bool { return n > before })
}

// lookCPU keeps a processor busy, with half of one allowed.
func lookCPU(l *Look) {
	stat := l.groupFile("cpu", "cpu.stat", "cpu.stat")
	before := l.count(stat, "nr_throttled", "how often it had to wait, so far", func(int) bool { return true })
	l.Inside("timeout 0.6 sh -c 'while :; do :; done'; echo done", "half a second of nothing but work", func(o Out) bool { return o.Has("done") })
	l.count(stat, "nr_throttled", "after 50 of each 100 ms it was made to wait", func(n int) bool { return n >= before+3 })
}

// lookPressure reads how long the group had to wait.
func lookPressure(l *Look) {
	if !l.v2() {
		l.Note("not shown: how long the group waited for what it lacked (pressure, PSI). Each group has that with cgroup v2 only, and this machine's controllers are v1's")
		return
	}
	file := l.groupFile("cpu", "cpu.pressure", "")
	if !exists(file) {
		l.Note("not shown: pressure (PSI); this kernel was built or started without it: there is no %s", file)
		return
	}
	l.Outside("head -n 1 "+file, "microseconds it waited for the processor: total", readLine(file, "some"),
		func(text string) bool { return lastNumber(text) > 0 })
}
