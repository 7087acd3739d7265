package stages

import (
	"context"
	"fmt"
	"os"
	"strings"

	"cutaway/sandbox/features"
	"cutaway/sandbox/plan"
)

// pid makes the process number 1 of its own numbering.
var pid = Stage{
	Slug:   "04-pid",
	Title:  "process numbers of its own",
	Belief: "a PID namespace hides processes",
	Lesson: "One process, two numbers. The namespace decides whom a number means; what hides the others is the fresh /proc.",
	Code:   "sandbox/op/namespace.go",
	Needs:  func(f features.Features) error { return f.HaveNamespace("pid") },
	Add: func(s *plan.Spec, _ Materials) {
		s.Add("pid")
		s.Linux.Proc = true
	},
	Look: lookPID,
}

func lookPID(ctx context.Context, l *Look) {
	pid, self := l.Container.PID(), os.Getpid()
	comm, _ := readFile("/proc/self/comm")() // unread, it equals nothing the kernel says
	l.Inside("echo $$", "inside it is number 1", func(o Out) bool { return o.Text == "1" })
	status := fmt.Sprintf("/proc/%d/status", pid)
	l.Outside("grep NSpid "+status, "one process, a number in each namespace",
		readLine(status, "NSpid:"), func(s string) bool { return s == fmt.Sprintf("NSpid: %d 1", pid) })
	l.Inside("ps -o pid,ppid,comm", "nobody but itself and what it started", onlyOwnProcesses)
	l.Note("now a second container that has the PID namespace but no fresh /proc: its /proc is still the host's.")
	if second, err := l.Start(ctx, l.withHostProc()); l.started(err) {
		second.Inside(fmt.Sprintf("echo I am $$; echo %d is $(cat /proc/%d/comm)", self, self), "number 1, and yet it sees the host's processes",
			func(o Out) bool { return o.Text == fmt.Sprintf("I am 1\n%d is %s", self, strings.TrimSpace(comm)) })
		l.Note("seeing is not reaching: the next call fails with ESRCH, on purpose. To kill, numbers count as this namespace has them.")
		second.Inside(fmt.Sprintf("kill -0 %d", self), "that number means nobody here", func(o Out) bool { return o.Status == 1 && o.Has("No such process") })
		l.ended(second)
	}
	lookInit(l)
}

// withHostProc is this container without its fresh /proc: on the host's root.
func (l *Look) withHostProc() plan.Spec {
	s := l.Again()
	s.Root, s.Linux.Proc = plan.Root{}, false
	return s
}

// lookInit shows what is special about number 1: pid_namespaces(7).
func lookInit(l *Look) {
	pid := l.Container.PID()
	l.Note("the next two signals do nothing, on purpose: from inside, the kernel gives number 1 only signals it has a handler for, " +
		"and this shell has none for SIGTERM; SIGKILL can have none.")
	l.Inside("kill -TERM 1; kill -KILL 1; sleep 0.1; ps -o pid,ppid,comm", "number 1 lives on",
		func(o Out) bool { return o.Status == 0 && o.lineText("    1 ") == "1 0 sh" })
	l.Note("now a process whose parent ends first. (A shell gives its background jobs /dev/null to read; there is no /dev here yet, " +
		"so an empty file takes its place.)")
	l.Inside("touch /dev/null; sleep 0.1 & echo I end, it goes on", "an orphan is left behind", func(o Out) bool { return o.Text == "I end, it goes on" })
	l.Outside(fmt.Sprintf("ps --ppid %d -o pid,state,comm", pid), "a child of number 1 now; ended, but nobody asked: a zombie",
		eventually(func() (string, error) { return children(pid) }, isZombie), isZombie)
	l.Inside("sleep 0.1; ps -o pid,ppid,stat,comm", "number 1 has asked: a real init does so for all", func(o Out) bool { return onlyOwnProcesses(o) && !o.Has("sleep") })
}

// onlyOwnProcesses checks what ps prints: the shell as number 1, and few more.
func onlyOwnProcesses(o Out) bool {
	return o.Status == 0 && strings.HasPrefix(o.lineText("    1 "), "1 0 ") && strings.Count(o.Text, "\n") <= 3
}
