package stages

import "cutaway/sandbox/sys"

// callEscapes are calls that change the machine, not the container.
var callEscapes = []escape{
	{name: "mount a filesystem", do: "probe call mount", free: "= 0",
		walls: []wall{lacking("SYS_ADMIN"), filtered("mount")}},
	{name: "mount over /proc", do: "probe call mount /proc", free: "= 0",
		walls: []wall{lacking("SYS_ADMIN"), filtered("mount")}},
	{name: "become root of a new user namespace", do: "probe call unshare-user", free: "= 0", past: "CVE-2022-0185",
		walls: []wall{filtered("unshare", sys.NewUser)}},
	{name: "mount there what is hidden here: a whole /proc", do: "unshare -Urmpf mount -t proc proc /mnt && echo mounted", free: "mounted",
		walls: []wall{filtered("unshare", sys.NewUser), onTop("the mounts on top of this /proc", "/proc/sys", eperms...)}},
	{name: "take the mask off there", do: "unshare -m $MAP umount /proc/interrupts && echo gone", free: "gone",
		walls: []wall{filtered("unshare", sys.NewNS), locked}},
	{name: "load a kernel module", config: "CONFIG_MODULES", do: "probe call init_module", free: "ENOEXEC",
		walls: []wall{filtered("init_module"), users("EPERM"), lacking("SYS_MODULE")}},
	{name: "load another kernel", config: "CONFIG_KEXEC", do: "probe call kexec", free: "EINVAL",
		walls: []wall{filtered("kexec_load"), users("EPERM"), lacking("SYS_BOOT")}},
	{name: "run a program in the kernel, by bpf", do: "probe call bpf-lru", free: `= \d`,
		walls: []wall{filtered("bpf"), users("EPERM"), lacking("BPF", "SYS_ADMIN")}},
	{name: "watch the kernel, by perf_event_open", do: "probe call perf", free: `= \d`,
		walls: []wall{filtered("perf_event_open"), users("EACCES"), lacking("PERFMON", "SYS_ADMIN").saying("EACCES")}},
	{name: "make a key", config: "CONFIG_KEYS", do: "probe call add_key", free: `= \d`, walls: []wall{filtered("add_key")}},
	{name: "ask for a key", config: "CONFIG_KEYS", do: "probe call request_key", free: "ENOKEY", walls: []wall{filtered("request_key")}},
	{name: "search the session keyring", config: "CONFIG_KEYS", do: "probe call search-key", free: "ENOKEY", walls: []wall{filtered("keyctl")}},
}
