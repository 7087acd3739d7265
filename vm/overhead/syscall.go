package overhead

// calls measures what a program pays for asking the kernel for something, timed
// inside, as a mean over many calls.
var calls = experiment{
	group: "syscall",
	measures: []Measure{
		{Key: "syscall.getpid", Title: "getpid", Unit: "ns",
			Means: "Into the kernel and back, for next to nothing. A seccomp filter is run on each call and shows here; a namespace does not.",
			Not:   "Real calls do work, beside which this is little. A guest asks its own kernel, not the host's."},
		{Key: "syscall.open", Title: "open and close a file", Unit: "us",
			Means: "A path is looked up in /tmp and the file opened: an overlay looks into its layers too.",
			Not:   "The file is in the cache. Where /tmp lies differs: on the host's disk, in an overlay, in a machine's memory."},
		{Key: "syscall.switch", Title: "one context switch over a pipe", Unit: "us",
			Means: "Two processes on one processor wake each other; half of a round trip, so a write, a switch and a read.",
			Not:   "Between two machines, or two processors, it is another story."},
	},
	subjects: inside(computing, map[string]func(float64) float64{"syscall.getpid": asItIs, "syscall.open": toMicros, "syscall.switch": toMicros},
		probe, "work", "getpid", "open", "switch"),
}
