package stages

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"

	"cutaway/stages/buildup"
)

// process is where everything begins: a program started by fork and exec, with
// nothing of its own yet.
var process = Stage{
	Part:   buildup.Process,
	Title:  "an ordinary process",
	Belief: "a container is a thing of its own, beside processes",
	Lesson: "Nothing is isolated yet: same namespaces, same root, same control group as the shell you started from.",
	Code:   "sandbox/pid1/init.go",
	Look:   lookProcess,
}

func lookProcess(_ context.Context, l *Look) {
	pid := l.Container.PID()
	l.Inside("echo pid $$, parent $PPID", "a child of cutaway, by fork and exec",
		func(o Out) bool { return o.Text == fmt.Sprintf("pid %d, parent %d", pid, os.Getpid()) })
	credentials := func(process string) (string, error) {
		status, err := readFile("/proc/" + process + "/status")()
		return strings.TrimSpace(containing(status, "Uid:", "Gid:", "CapEff:")), err
	}
	ours, _ := credentials("self") // unread, it equals nothing the kernel says
	l.Outside(fmt.Sprintf("grep -E 'Uid|Gid|CapEff' /proc/%d/status", pid), "the ids and capabilities of its parent",
		func() (string, error) { return credentials(fmt.Sprint(pid)) },
		func(theirs string) bool { return theirs == ours })
	inside := l.Inside(eachNamespace("$$"), "it is in a namespace of every type", func(o Out) bool { return o.Has("mnt:[") && o.Has("uts:[") })
	l.Outside(eachNamespace("$$"), "the same inodes: all of them are shared",
		func() (string, error) { return namespaces("self") },
		func(ours string) bool { return inside.Text == ours })
	lookInherited(l)
	l.Inside("cat /proc/sys/kernel/random/boot_id", "the machine's: one kernel, started once", sameBoot)
}

// lookInherited shows what fork leaves to a child: open files and the control
// group.
func lookInherited(l *Look) {
	pid := l.Container.PID()
	l.Outside(fmt.Sprintf("ls -l /proc/%d/fd", pid), "the three files it was given; no other leaked in",
		func() (string, error) { return descriptors(pid) },
		func(open string) bool {
			pipe, err := l.in.Stat()
			st, ok := pipe.Sys().(*syscall.Stat_t)
			return err == nil && ok && strings.HasPrefix(open, fmt.Sprintf("0 -> pipe:[%d]\n", st.Ino)) && strings.Count(open, "->") == 3
		})
	ours, _ := readFile("/proc/self/cgroup")() // unread, it equals nothing the kernel says
	theirs := ""
	l.Outside(fmt.Sprintf("grep -E 'memory|pids|::' /proc/%d/cgroup", pid), "the control group of its parent, nothing of its own",
		func() (_ string, err error) {
			theirs, err = readFile(fmt.Sprintf("/proc/%d/cgroup", pid))()
			return containing(theirs, "memory", "pids", "::"), err
		},
		func(string) bool { return theirs == ours })
}
