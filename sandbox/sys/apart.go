package sys

import (
	"fmt"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Apart keeps the process pid off the processor that the caller runs on; together
// lets it run everywhere again. A scheduler leaves a new process, and the threads it
// makes, beside its parent for a millisecond or more, also where another processor
// has nothing to do; that is long for two who have work at the same time. Nothing is
// done to a process that may not run everywhere: sched_setaffinity(2) would make a
// choice of its own out of what was a cpuset's (cpuset(7)), or taskset(1)'s.
func Apart(pid int) (together func()) {
	together = func() {}
	var allowed, others, all unix.CPUSet
	if unix.SchedGetaffinity(pid, &allowed) != nil || allowed.Count() < 2 || allowed.Count() != online() {
		return together
	}
	others = allowed
	others.Clear(processor())
	if unix.SchedSetaffinity(pid, &others) != nil { // it has ended
		return together
	}
	all.Fill()
	return func() { _ = unix.SchedSetaffinity(pid, &all) }
}

// processor is the one that the caller runs on, for now: getcpu(2).
func processor() int {
	var n uint32
	// It fails only for an address that is none.
	_, _, _ = unix.RawSyscall(unix.SYS_GETCPU, uintptr(unsafe.Pointer(&n)), 0, 0)
	return int(n)
}

// online counts the machine's processors that work; 0 if that cannot be told.
func online() int {
	list, err := os.ReadFile("/sys/devices/system/cpu/online")
	if err != nil {
		return 0
	}
	return members(strings.TrimSpace(string(list)))
}

// members counts what a list such as 0-2,5 has: cpuset(7), "List format".
func members(list string) (count int) {
	for item := range strings.SplitSeq(list, ",") {
		var first, last int
		if n, _ := fmt.Sscanf(item, "%d-%d", &first, &last); n == 1 {
			last = first
		}
		count += last - first + 1
	}
	return count
}
