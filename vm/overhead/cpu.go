package overhead

// processor measures work that stays on the processor: ten million steps of a
// random number generator, and SHA-256 over eight MiB, timed inside.
var processor = experiment{
	group: "cpu",
	measures: []Measure{
		{Key: "cpu.integer", Title: "ten million steps of xorshift", Unit: "ms",
			Means: "Work that needs the processor alone, timed inside. A container executes the host's instructions, so it should differ from a process by nothing.",
			Not:   "It has no memory traffic and no system call, which is where walls are. One thread only. Under KVM a machine executes the same instructions; emulated in software each is translated first, and the number says what that costs, not what a VM does."},
		{Key: "cpu.hash", Title: "SHA-256 of 8 MiB", Unit: "ms",
			Means: "The same with instructions that only some processors have: Go's SHA-256 uses them where the processor says so.",
			Not:   "An emulated processor may lack them, and then another piece of code runs. Timed by the clock inside, which in a machine is its own."},
	},
	subjects: inside(computing, map[string]func(float64) float64{"cpu.integer": toMillis, "cpu.hash": toMillis}, probe, "work", "integer", "hash"),
}
