package stages

// fileEscapes reach for files of the host's, and for files that are switches of
// its kernel.
var fileEscapes = []escape{
	{name: "chroot twice and climb", do: "probe escape", free: "escaped: yes", walls: []wall{pivoted}},
	{name: "climb from a directory held open", do: "probe escape fd", free: "escaped: yes", walls: []wall{pivoted}},
	{name: "open a file of the host's by its handle", do: "probe call handle /etc/hosts", free: `= \d`, past: "shocker.c",
		walls: []wall{filtered("open_by_handle_at"), users("EPERM"), lacking("DAC_READ_SEARCH")}},
	{name: "have the kernel run a program when one dumps core", do: "probe call open-write /proc/sys/kernel/core_pattern", free: `= \d`,
		walls: []wall{readonly("/proc/sys"), users("EACCES")}},
	{name: "have the kernel run a program for a module", config: "CONFIG_MODULES", do: "probe call open-write /proc/sys/kernel/modprobe", free: `= \d`,
		walls: []wall{readonly("/proc/sys"), users("EACCES")}},
	{name: "press a SysRq key", config: "CONFIG_MAGIC_SYSRQ", do: "probe call open-write /proc/sysrq-trigger", free: `= \d`,
		walls: []wall{readonly("/proc/sysrq-trigger"), users("EACCES")}},
	{name: "make /proc/sys writable again", do: "unshare -m sh -c 'mount -o remount,bind,rw /proc/sys && probe call open-write'", free: `= \d`,
		walls: []wall{filtered("unshare", 0x20000), users("EACCES"), lacking("SYS_ADMIN")}},
	{name: "read the machine's memory", config: "CONFIG_PROC_KCORE", do: "head -c 4 /proc/kcore", free: "ELF",
		walls: []wall{hidden("/proc/kcore"), users("EACCES"), lacking("SYS_RAWIO")}},
	{name: "make a node of the host's first disk", do: "mknod /tmp/disk b 254 0 && rm /tmp/disk && echo made", free: "made",
		walls: []wall{users("EPERM"), dropped("MKNOD")}},
	{name: "have the kernel run a program when a group is empty", past: "CVE-2022-0492", absent: inFirstGroup,
		do:   "mount -t cgroup -o none,name=cutaway-wall none /mnt && { probe call open-write /mnt/release_agent; umount /mnt; }",
		free: `= \d`, walls: []wall{filtered("mount"), lacking("SYS_ADMIN"), users("EPERM"), ownGroups}},
}
