package op

import "cutaway/sandbox/sys"

// searchable is why a path that exists can still be refused to a container.
const searchable = "root of a user namespace is an ordinary user on the host: every directory above must be searchable (chmod o+x), or put the lab's state elsewhere: cutaway --state DIR"

// hints are guesses: what a refusal most often means, by operation and errno.
// Each row has a test that provokes it.
var hints = map[string]map[sys.Errno]string{
	"clone": {
		sys.EPERM:  "namespaces need root, or a user namespace: as an ordinary user try cutaway run --net none",
		sys.ENOSPC: "a limit in /proc/sys/user/max_*_namespaces is reached",
		sys.EACCES: "init's program lies in the lab's state directory: is that mounted with noexec? cutaway --state DIR",
	},
	"unshare": {
		sys.EPERM:  "run as root, or with a user namespace first",
		sys.ENOSPC: "a limit in /proc/sys/user/max_*_namespaces is reached",
	},
	"overlay": {
		sys.EINVAL: "upperdir must not be on overlayfs itself; put the lab's state on ext4, xfs or tmpfs: cutaway --state DIR",
		sys.EPERM:  "overlayfs inside a user namespace needs Linux >= 5.11",
		sys.EACCES: searchable,
	},
	"mount": {
		sys.EACCES: searchable,
		sys.EPERM:  "in a user namespace the kernel mounts a new proc only for a PID namespace of its own, and where a full proc can be seen: in a container the masks in /proc are in the way",
	},
	"open_tree": {sys.EACCES: searchable},
	"sysctl": {
		sys.EROFS: "a container's /proc/sys is read-only: are you inside one already?",
	},
	"prlimit": {
		sys.EPERM: "root of a user namespace can lower a limit and not raise it above what the host's process has: cutaway run --userns host",
	},
	"setuid": {
		sys.EINVAL: "the user namespace of the container has no such id; /proc/self/uid_map lists those it has",
		sys.EPERM:  "inside a user namespace that an ordinary user made setgroups(2) is denied, see /proc/self/setgroups: run it outside, as that user",
	},
	"execve": {
		sys.ENOENT:  "the program, or the interpreter it names, is not in the container's root filesystem",
		sys.EACCES:  "it is not executable, or is on a mount with noexec",
		sys.ENOEXEC: "it is not a program for this machine's architecture, nor a script with a #! line",
	},
	"mkdir": {
		sys.ENOSPC: "the disk is full; put the lab's state elsewhere: cutaway --state DIR",
	},
	"seccomp": {
		sys.EACCES: "without CAP_SYS_ADMIN a filter may be loaded only after no_new_privs",
	},
	"cgroup_create": {
		sys.EROFS: "the cgroup filesystem is read-only here: are you inside a container already?",
	},
}
