package stages

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// lookMeminfo asks where most programs ask.
func lookMeminfo(l *Look) {
	host, hostErr := readLine("/proc/meminfo", "MemTotal:")()
	l.Inside("grep MemTotal /proc/meminfo | tr -s ' '", "the whole machine's: /proc knows no group",
		func(o Out) bool { return hostErr == nil && o.Text == host })
}

// lowHigh is a soft limit that probe eat 48M goes beyond.
const lowHigh = 32 << 20

// lookHigh goes beyond the soft limit: on v2 the group is slowed down at once,
// on v1 not before the machine itself runs short.
func lookHigh(l *Look) {
	high := l.groupFile("memory", "memory.high", "memory.soft_limit_in_bytes")
	l.Set(high, strconv.Itoa(lowHigh), "a limit can change while the group lives", "memory.high")
	counted := []string{"memory.events high", "memory.events oom_kill"}
	if l.v2() {
		l.Note("the next program wants more than memory.high. It is not killed: it is made to wait at each further page, and on purpose gets no further in three seconds")
		l.Effect("timeout 3 probe eat 48M", "143 is 128 + 15: the timeout ended it", counted,
			func(o Out, e effect) bool {
				return o.Status == 143 && e.rise(counted[0]) > 0 && e.rise(counted[1]) == 0
			})
	} else {
		l.Effect("probe eat 48M", "no wall: v1's counts only when the machine itself runs short", counted,
			func(o Out, e effect) bool { return o.Text == "touched 48M" && e.rise(counted[1]) == 0 })
	}
	l.back(high, fmt.Sprint(l.Container.Spec.Linux.Resources.MemoryHigh))
}

// lookOOM goes beyond the hard limit.
func lookOOM(l *Look) {
	counted := []string{"memory.events oom_kill"}
	l.Note("the next program touches twice memory.max. It is not refused the memory: it is killed, on purpose")
	l.Effect("probe eat 128M", "137 is 128 + 9: SIGKILL; the group has counted it", counted,
		func(o Out, e effect) bool { return o.Status == 137 && e.rise(counted[0]) == 1 })
	peak := l.groupFile("memory", "memory.peak", "memory.max_usage_in_bytes")
	if !exists(peak) {
		l.Note("how much it was at most is not told: memory.peak is new in Linux 5.19, this is %s", l.Lab.Features.Kernel)
		return
	}
	// What the kernel may not refuse, as it dies, is charged beyond the limit:
	// memory.max in cgroup-v2.rst.
	const slack = 1 << 20
	most := l.Container.Spec.Linux.Resources.MemoryMax
	l.Outside("cat "+l.groupName(peak), fmt.Sprintf("the most it ever had: up to the wall at %d", most), readFile(peak), func(text string) bool {
		var used int
		return number(text, &used) && int64(used) <= most+slack && int64(used) > most/2
	})
}

// lookSwap lets the same program have swap beside its memory.
func lookSwap(l *Look) {
	most := l.Container.Spec.Linux.Resources.MemoryMax
	swap, more, none := l.groupFile("memory", "memory.swap.max", ""), most, int64(0)
	if !l.v2() { // one limit for both together
		swap, more, none = l.groupFile("memory", "", "memory.memsw.limit_in_bytes"), 2*most, most
	}
	areas, err := readFile("/proc/swaps")()
	switch {
	case err != nil || strings.Count(strings.TrimSpace(areas), "\n") == 0:
		l.Note("not shown: swap; this machine has none, /proc/swaps is empty. Where there is some, the limit for it is %s", l.groupName(swap))
		return
	case !exists(swap):
		l.Note("not shown: swap; this kernel does not count it by group (start it with swapaccount=1)")
		return
	}
	facts := []string{"memory.swap.max", "memory and swap"}
	l.Set(swap, fmt.Sprint(more), fmt.Sprintf("now %d MiB of swap beside the memory", most>>20), facts...)
	l.Effect("probe eat 96M", "more than memory.max, and nobody is killed: the rest was swapped out", []string{"memory.events oom_kill"},
		func(o Out, e effect) bool { return o.Text == "touched 96M" && e.rise("memory.events oom_kill") == 0 })
	// What was swapped out is given back a moment after the program's end, and the
	// limit cannot be less than what is used.
	err = l.writeGroup(swap, fmt.Sprint(none))
	for try := 0; err != nil && try < 50; try++ {
		time.Sleep(20 * time.Millisecond)
		err = l.writeGroup(swap, fmt.Sprint(none))
	}
	if err != nil {
		l.failed("put "+l.groupName(swap)+" back", err)
	}
}

// lookGroupKill has a whole container killed because one of its processes wants
// too much.
func lookGroupKill(second *Look) {
	if !second.v2() {
		second.Note("not shown: memory.oom.group, by which all of a group is killed and not one process of it; that is v2's, since Linux 4.19")
		return
	}
	second.Set(second.groupFile("memory", "memory.oom.group", ""), "1", "all or nobody", "memory.oom.group")
	second.Note("now the second container's shell has a child that wants too much. Not the child alone, the whole container is killed, on purpose")
	counted := []string{"memory.events oom_kill", "memory.events oom_group_kill", "cgroup.events populated"}
	var ended error
	e, err := second.during(counted, func() error {
		_, ended = second.run("probe eat 128M")
		return nil
	})
	text := "(no more answer)"
	if err != nil || ended == nil {
		text = fmt.Sprintf("it lives on %v", err)
	}
	second.report(second.inside(), "probe eat 128M", Out{Text: text}, "its number 1 was killed as well, and no process is left",
		ended != nil && err == nil && e.rise(counted[0]) > 1 && e.is[counted[2]] == "0", e.changed...)
}
