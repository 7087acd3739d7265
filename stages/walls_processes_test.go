package stages

// processEscapes reach for processes of the host's.
var processEscapes = []escape{
	{name: "send a signal to a process of the host's", do: "probe call kill HOSTPID", free: "= 0", walls: []wall{pids, users("EPERM")}},
	{name: "trace a process of the host's", do: "probe call trace HOSTPID", free: "= 0", past: "CVE-2019-13272",
		walls: []wall{pids, users("EPERM"), lacking("SYS_PTRACE")}},
}
