package trace

import (
	"fmt"

	"cutaway/sandbox/inspect"
	"cutaway/sandbox/sys"
)

// scene is a run of Events as a stage would emit them.
type scene struct {
	name   string
	events []Event
}

func ptr[T any](v T) *T { return &v }

func call(name string, ret int64, args ...string) sys.Call {
	return sys.Call{Name: name, Args: args, Ret: ret}
}

func object(k inspect.Kind, id, where string, facts ...string) inspect.Object {
	return inspect.Object{Kind: k, ID: id, Where: where, Detail: detail(facts...)}
}

// detail pairs its arguments up as keys and values.
func detail(facts ...string) inspect.Detail {
	var d inspect.Detail
	for i := 0; i+1 < len(facts); i += 2 {
		d = append(d, inspect.Field{Key: facts[i], Value: facts[i+1]})
	}
	return d
}

func scenes() []scene {
	return []scene{
		{"uts", utsScene()},
		{"mount", mountScene()},
		{"privileges", privilegesScene()},
		{"image", imageScene()},
		{"surprises", surprisesScene()},
		{"process", processScene()},
		{"effects", effectsScene()},
	}
}

func utsScene() []Event {
	changed := object(inspect.UTS, "uts:[4026532301]", "/proc/4242/ns/uts", "nodename", "cutaway")
	changed.Was = detail("nodename", "vm")
	return []Event{
		{Event: StageEvent, Stage: "03-uts", Of: 15, Title: "a hostname of its own",
			SoFar:  []string{"process", "chroot", "mount", "uts"},
			Belief: "a container has its own hostname because it is another machine"},
		{Event: PredictEvent, Text: "Inside, the hostname is changed. What does hostname print outside?\n" +
			"  a) the new name, there is only one kernel\n  b) the old name\n  c) nothing, until the next boot"},
		{Event: StepEvent, Stage: "03-uts", Step: 1, Of: 2, Where: "init", PID: 4242, Op: "unshare",
			Why:   "before sethostname, or the host is renamed",
			Shell: "unshare --uts", Calls: []sys.Call{call("unshare", 0, "CLONE_NEWUTS")},
			Created: []inspect.Object{object(inspect.UTS, "uts:[4026532301]", "/proc/4242/ns/uts",
				"owner", "user:[4026531837]", "processes", "1", "left", "uts:[4026531838]")},
			Micros: 1812},
		{Event: StepEvent, Stage: "03-uts", Step: 2, Of: 2, Where: "init", PID: 4242, Op: "sethostname",
			Why: "the new namespace is a copy, and still has the host's name in it", Shell: "hostname cutaway",
			Calls:   []sys.Call{call("sethostname", 0, `"cutaway"`, "7")},
			Changed: []inspect.Object{changed}, Micros: 96},
		{Event: ProbeEvent, Where: "inside", Cmd: "hostname", Output: "cutaway\n", Expect: "the new name", OK: ptr(true), Status: ptr(0)},
		{Event: ProbeEvent, Where: "outside", Cmd: "hostname", Output: "vm\n", Expect: "the host keeps its own", OK: ptr(true)},
		{Event: ProbeEvent, Where: "inside", Cmd: "cat /proc/sys/kernel/random/boot_id",
			Output: "6f1c0f5e-8a55-4c6f-9d0e-6d1f3c1c8f11\n", Expect: "the same as outside: one kernel, booted once", OK: ptr(true)},
		{Event: ExitEvent, Stage: "03-uts", Status: ptr(0)},
		{Event: StageEvent, Stage: "03-uts", Done: true,
			Lesson: "two hostnames, one kernel: the UTS namespace holds five strings, nothing more.",
			Next:   "04-pid", Read: "uts_namespaces(7)", Code: "sandbox/op/hostname.go"},
	}
}

// effectsScene has probes that change something: one that prints, one that is
// silent, and one whose object has a long name.
func effectsScene() []Event {
	changed := func(id string, was, is []string) []inspect.Object {
		o := object(inspect.Cgroup, id, "/sys/fs/cgroup/"+id, is...)
		o.Was = detail(was...)
		return []inspect.Object{o}
	}
	return []Event{
		{Event: ProbeEvent, Where: "inside", Cmd: "probe eat 128M", Output: "Killed", Status: ptr(137), OK: ptr(true), Expect: "137 is 128 + 9: SIGKILL",
			Changed: changed("cutaway/ab12cd", []string{"memory.events oom_kill", "0"}, []string{"memory.events oom_kill", "1"})},
		{Event: ProbeEvent, Where: "outside", Cmd: "echo max > GROUP/memory.max", Status: ptr(0), OK: ptr(true), Expect: "no wall any more",
			Changed: changed("cutaway/ab12cd", []string{"memory.max", "67108864"}, []string{"memory.max", "max"})},
		{Event: ProbeEvent, Where: "inside 2", Cmd: "probe spin 0.05", Output: "0.05 s of processor time in 0.44 s", Status: ptr(0), OK: ptr(true), Expect: "it waited",
			Changed: changed("cpu,cpuacct:cutaway/ab12cd", []string{"cpu.stat nr_throttled", "0", "cpu.stat throttled_usec", "12"},
				[]string{"cpu.stat nr_throttled", "5", "cpu.stat throttled_usec", "421726"})},
	}
}

func processScene() []Event {
	self := object(inspect.Process, "4242", "/proc/4242", "name", "cutaway", "command", "cutaway init", "pids", "4242 1",
		"parent", "4240", "started", "88120 ticks after boot", "exe", "/proc/self/exe", "root", "/", "root inode", "2 on 254:1",
		"cwd", "/root", "uid", "0", "gid", "0", "groups", "0", "cgroup", "/user.slice", "user", "user:[4026531837]",
		"mnt", "mnt:[4026531841]", "uts", "uts:[4026531838]", "pid", "pid:[4026532298]", "net", "net:[4026531840]")
	return []Event{
		{Event: StageEvent, Stage: "00-process", Of: 15, Title: "a process like any other", SoFar: []string{"process"},
			Belief: "a container is a light virtual machine"},
		{Event: StepEvent, Step: 1, Of: 1, Where: "host", Op: "clone", Why: "everything after this happens in the new process",
			Calls: []sys.Call{call("clone3", 4242, "{flags=CLONE_PIDFD|CLONE_NEWPID, exit_signal=SIGCHLD}", "88")},
			Shell: "unshare --pid --fork sh -c '...' &",
			Created: []inspect.Object{
				object(inspect.PID, "pid:[4026532298]", "/proc/4242/ns/pid", "owner", "user:[4026531837]", "parent", "pid:[4026531836]", "processes", "1"),
				self,
				object(inspect.Caps, "4242", "/proc/4242/status", "effective", "all 41", "permitted", "all 41", "inheritable", "none",
					"bounding", "all 41", "ambient", "none", "relative to", "user:[4026531837]"),
				object(inspect.Seccomp, "4242", "/proc/4242/status", "mode", "disabled", "filters", "0", "no_new_privs", "no"),
			}, Micros: 2411},
		{Event: NoteEvent, Text: "nothing about it is isolated yet."},
		{Event: ProbeEvent, Where: "inside", Cmd: "grep NSpid /proc/self/status", Output: "NSpid:\t4242\t1", OK: ptr(true),
			Expect: "two pids for one process, the inner one is 1"},
	}
}

func mountScene() []Event {
	var mounts []inspect.Object
	mounts = append(mounts, object(inspect.Mnt, "mnt:[4026532299]", "/proc/4242/ns/mnt",
		"owner", "user:[4026531837]", "processes", "1"))
	for i, at := range []string{"/", "/proc", "/sys", "/dev", "/dev/pts", "/run", "/dev/shm", "/tmp", "/boot", "/srv", "/var", "/home"} {
		mounts = append(mounts, object(inspect.Mount, fmt.Sprintf("mount %d", 480+i), "/proc/4242/mountinfo",
			"target", at, "type", "ext4", "source", "/dev/vda1", "root", "/", "options", "rw,relatime",
			"super", "rw,errors=remount-ro", "propagation", "shared:1", "parent", "mount 27", "device", "254:1", "in", "mnt:[4026532299]"))
	}
	root := object(inspect.Process, "4242", "/proc/4242", "root", "/", "cwd", "/")
	root.Was = detail("root", "/run/cutaway/c1/rootfs", "cwd", "/home/learner")
	return []Event{
		{Event: StageEvent, Stage: "02-mount", Of: 15, Title: "a mount table of its own, and a root that cannot be escaped from",
			SoFar:  []string{"process", "chroot", "mount"},
			Belief: "a mount namespace means the host cannot see my mounts"},
		{Event: StepEvent, Step: 1, Of: 4, Where: "init", PID: 4242, Op: "unshare",
			Why:   "everything from here on changes the mount table, and it should be ours",
			Shell: "unshare --mount", Calls: []sys.Call{call("unshare", 0, "CLONE_NEWNS")},
			Created: mounts, Micros: 2433},
		{Event: StepEvent, Step: 2, Of: 4, Where: "init", PID: 4242, Op: "mount",
			Why:   "a new mount namespace is a copy that still shares its peers: without this our mounts would appear on the host",
			Shell: "mount --make-rprivate /",
			Calls: []sys.Call{call("mount", 0, "NULL", `"/"`, "NULL", "MS_REC|MS_PRIVATE", "NULL")}, Micros: 310},
		{Event: NoteEvent, Text: "the next call fails with EBUSY, on purpose: the old root is still in use."},
		{Event: StepEvent, Step: 3, Of: 4, Where: "init", PID: 4242, Op: "umount",
			Why:   "to see that the kernel refuses it",
			Calls: []sys.Call{{Name: "umount2", Args: []string{`"/oldroot"`, "0"}, Ret: -1, Errno: "EBUSY"}}, Micros: 12},
		{Event: StepEvent, Step: 4, Of: 4, Where: "init", PID: 4242, Op: "overlay",
			Why:   "after every layer is unpacked and before pivot_root, which needs a mount to pivot to",
			Shell: "mount -t overlay overlay -o lowerdir=/var/lib/cutaway/layers/app:/var/lib/cutaway/layers/base,upperdir=/run/cutaway/c1/upper,workdir=/run/cutaway/c1/work /run/cutaway/c1/rootfs",
			Calls: []sys.Call{
				call("mount", 0, `"overlay"`, `"/run/cutaway/c1/rootfs"`, `"overlay"`, "MS_NODEV",
					`"lowerdir=/var/lib/cutaway/layers/app:/var/lib/cutaway/layers/base,upperdir=/run/cutaway/c1/upper,workdir=/run/cutaway/c1/work"`),
				call("openat", 5, "AT_FDCWD", `"/run/cutaway/c1/rootfs"`, "O_RDONLY|O_CLOEXEC|O_DIRECTORY"),
				call("pivot_root", 0, `"."`, `"."`),
			},
			Created: []inspect.Object{object(inspect.Mount, "mount 512", "/proc/4242/mountinfo", "target", "/", "type", "overlay",
				"source", "overlay", "parent", "511", "propagation", "private", "options", "rw,nodev")},
			Changed: []inspect.Object{root},
			Removed: mounts[3:6], Micros: 12_410},
		{Event: ProbeEvent, Where: "inside", Cmd: "cat /proc/self/mountinfo", Status: ptr(0), OK: ptr(true), Expect: "only our own mounts",
			Output: "512 511 0:45 / / rw,nodev,relatime - overlay overlay rw,lowerdir=/var/lib/cutaway/layers/app\n513 512 0:46 / /proc rw,nosuid,nodev,noexec - proc proc rw\n"},
		{Event: ProbeEvent, Where: "outside", Cmd: "grep -c cutaway /proc/self/mountinfo", Output: "0\n", Status: ptr(1), OK: ptr(true), Expect: "none: it is a private copy"},
		{Event: StageEvent, Done: true, Stage: "02-mount",
			Lesson: "a mount namespace is a private list of mounts; what makes it private is the propagation type, not the namespace.",
			Next:   "03-uts", Read: "mount_namespaces(7)", Code: "sandbox/op/mount.go, sandbox/op/root.go"},
	}
}

func privilegesScene() []Event {
	caps := []string{"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
		"CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_SYS_MODULE", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_TIME", "CAP_MKNOD"}
	var drops []sys.Call
	before, after := "", ""
	for i, c := range caps {
		before += " " + c
		if i < 7 {
			after += " " + c
			continue
		}
		drops = append(drops, call("prctl", 0, "PR_CAPBSET_DROP", c))
	}
	drops = append(drops, call("prctl", 0, "PR_CAPBSET_DROP", "CAP_BPF"),
		call("prctl", 0, "PR_CAPBSET_DROP", "CAP_SYSLOG"), call("capset", 0, "{_LINUX_CAPABILITY_VERSION_3, 0}",
			"{effective=CAP_CHOWN|CAP_DAC_OVERRIDE|CAP_FOWNER|CAP_FSETID|CAP_KILL|CAP_SETGID|CAP_SETUID, permitted=..., inheritable=0}"))
	set := object(inspect.Caps, "4242", "/proc/4242/status", "bounding", after[1:], "effective", after[1:])
	set.Was = detail("bounding", before[1:], "effective", before[1:])
	return []Event{
		{Event: StageEvent, Stage: "12-privileges", Of: 15, Title: "root that cannot",
			SoFar: []string{"process", "chroot", "mount", "uts", "pid", "ipc", "net", "user", "cgroup", "time",
				"limits", "devices", "privileges"},
			Belief: "all capabilities means all-powerful"},
		{Event: StepEvent, Step: 1, Of: 1, Where: "init", PID: 4242, Op: "dropcaps",
			Why:   "last, because the steps before needed them: after this not even root in here can mount",
			Shell: "setpriv --bounding-set -all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid sh",
			Calls: drops, Changed: []inspect.Object{set}, Micros: 640},
		{Event: NoteEvent, Text: "the next two are refused, on purpose."},
		{Event: ProbeEvent, Where: "inside", Cmd: "mount -t tmpfs none /mnt", Output: "mount: permission denied (are you root?)\n",
			Status: ptr(1), OK: ptr(true), Expect: "refused, CAP_SYS_ADMIN is gone"},
		{Event: ProbeEvent, Where: "inside", Cmd: "reboot -f", Signal: "SIGSYS", OK: ptr(true), Expect: "killed by the seccomp rule for reboot"},
		{Event: ProbeEvent, Where: "inside", Cmd: "id -u", Output: "0\n", OK: ptr(true), Expect: "still root by name"},
	}
}

func imageScene() []Event {
	blobs := []inspect.Object{
		object(inspect.Blob, "sha256:4bcff63911fcb4448bd4fdacec207030997caf25e9bea4045fa6c8c44de311d1",
			"/var/lib/cutaway/blobs/sha256/4bcff63911fcb4448bd4fdacec207030997caf25e9bea4045fa6c8c44de311d1",
			"size", "1.2 MB", "type", "application/vnd.oci.image.layer.v1.tar+gzip"),
		object(inspect.Blob, "sha256:9d2c0a8c2b9b6c2e5d7fb3a3f7a1b3e7a2c9b1f3ad8e52d6c2d4a1b0f9e8d7c6",
			"/var/lib/cutaway/blobs/sha256/9d2c0a8c2b9b6c2e5d7fb3a3f7a1b3e7a2c9b1f3ad8e52d6c2d4a1b0f9e8d7c6",
			"size", "571 B", "type", "application/vnd.oci.image.config.v1+json"),
		object(inspect.Dir, "/var/lib/cutaway/layers/4bcff639", "/var/lib/cutaway/layers/4bcff639", "files", "298"),
	}
	return []Event{
		{Event: StageEvent, Stage: "14-image", Of: 15, Title: "an image is files and hashes", Belief: "an image is a disk"},
		{Event: StepEvent, Step: 1, Of: 2, Where: "host", Op: "pull", Why: "a tag is no identity: the digest it points to now is fetched, then checked",
			Shell: "curl -s http://127.0.0.1:5000/v2/built-in/manifests/latest \\\n  -H 'Accept: application/vnd.oci.image.index.v1+json'", Created: blobs, Micros: 48_211},
		{Event: ErrorEvent, Text: "pull 127.0.0.1:5000/built-in@sha256:9d2c0a8c2b9b6c2e5d7fb3a3f7a1b3e7a2c9b1f3ad8e52d6c2d4a1b0f9e8d7c6: the bytes hash to another digest",
			Hint: "the registry, or something between it and you, changed the blob; nothing was stored"},
	}
}

func surprisesScene() []Event {
	return []Event{
		{Event: StageEvent, Stage: "09-time", Of: 15, Title: "a clock of its own"},
		{Event: StageEvent, Stage: "09-time", Done: true, Next: "10-limits", Lacks: "kernel 5.4 has no time namespaces (5.6 has)"},
		{Event: StepEvent, Step: 1, Of: 2, Where: "host", Op: "cgroup", Why: "the limit must be there before the first process is",
			Calls: []sys.Call{call("mkdir", 0, `"/sys/fs/cgroup/cutaway/ab12cd"`, "0755")},
			Created: []inspect.Object{object(inspect.Cgroup, "cutaway/ab12cd", "/sys/fs/cgroup/cutaway/ab12cd",
				"controllers", "cpu memory pids", "memory.max", "max", "pids.max", "max")},
			Unexpected: []inspect.Kind{inspect.Sysctl}, Missing: []inspect.Kind{inspect.Mount}, Micros: 700},
		{Event: ProbeEvent, Where: "inside", Cmd: "hostname", Output: "vm", Expect: "the new name", OK: ptr(false)},
		{Event: ProbeEvent, Where: "inside", Cmd: "printf '\\033[2J'", Output: "\x1b[2J\x1b]0;title\x07 cleared?\ttab", OK: ptr(false)},
		{Event: ErrorEvent, Text: "mount overlay at /run/cutaway/c1/rootfs: EINVAL: upperdir is itself on overlayfs",
			Hint: "put the lab's state on tmpfs or ext4: cutaway --state DIR"},
		{Event: ExitEvent, Signal: "SIGKILL", Status: ptr(137)},
	}
}
