package stages

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"

	"cutaway/sandbox/plan"
)

// What is special about number 1 of a PID namespace: pid_namespaces(7), "The
// namespace init process".

// lookSecondPID makes a container on the host's root, with the host's /proc, and
// ends it from outside.
func lookSecondPID(ctx context.Context, l *Look) {
	l.Note("now a second container that has the PID namespace but no fresh /proc: its /proc is still the host's.")
	second, err := l.Start(ctx, l.withHostProc())
	if !l.started(err) {
		return
	}
	defer l.ended(second)
	first := l.Container.PID()
	second.Inside(fmt.Sprintf("echo I am $$; echo %d is $(cat /proc/%d/comm)", first, first), "number 1, and yet it sees the host's processes, the first container's",
		says(fmt.Sprintf("I am 1\n%d is sh", first)))
	l.Note("seeing is not reaching: the next call fails with ESRCH, on purpose. To kill, numbers count as this namespace has them.")
	second.Inside(fmt.Sprintf("kill -0 %d", first), "that number means nobody here", func(o Out) bool { return o.Status == 1 && o.Has("No such process") })
	lookKill(l, second)
}

// withHostProc is this container without its fresh /proc: on the host's root.
func (l *Look) withHostProc() plan.Spec {
	s := l.Again()
	s.Root, s.Linux.Proc = plan.Root{}, false
	return s
}

// lookKill ends a container by a signal to its number 1.
func lookKill(l, second *Look) {
	pid := second.Container.PID()
	second.Inside("sleep 600 & echo I have a child", "two processes in this namespace", says("I have a child"))
	child := ""
	asleep := func(list string) bool {
		number, rest, _ := strings.Cut(list, " ")
		child = number
		return strings.HasSuffix(rest, "sleep") && !strings.Contains(rest, "\n")
	}
	l.Outside(fmt.Sprintf("ps --ppid %d -o pid,state,comm", pid), "the child, as the host counts",
		l.eventually(func() (string, error) { return children(pid) }, asleep), asleep)
	l.Note("now two signals from outside. The first does nothing, on purpose: the kernel gives number 1 only what it has a handler for, and a shell has none for SIGTERM. `docker stop` waits ten seconds for that.")
	l.Outside(fmt.Sprintf("kill -TERM %d", pid), "sent", func() (string, error) { second.Container.Signal(syscall.SIGTERM); return "", nil }, is(""))
	second.Inside("echo still here", "and never seen", says("still here"))
	l.Predict("the second is SIGKILL, for number 1 alone. What becomes of its child?")
	l.Outside(fmt.Sprintf("kill -KILL %d; cat /proc/%s/comm", pid, child), "gone as well: a namespace ends with its number 1",
		func() (string, error) {
			second.Container.Kill()
			exit, err := second.Container.Wait()
			if err == nil && exit.Signal != syscall.SIGKILL {
				err = fmt.Errorf("number 1 ended otherwise: %v", exit)
			}
			if _, statErr := os.Stat("/proc/" + child); child != "" && os.IsNotExist(statErr) {
				return "no such process", err
			}
			return "it lives", err
		}, is("no such process"))
}

// lookInit sends number 1 signals from inside, and gives it a child to wait for.
func lookInit(l *Look) {
	pid := l.Container.PID()
	l.Note("from inside not even SIGKILL reaches number 1: the next two signals do nothing, on purpose.")
	l.Inside("kill -TERM 1; kill -KILL 1; sleep 0.1; ps -o pid,ppid,comm", "number 1 lives on",
		func(o Out) bool { return o.Status == 0 && o.lineText("    1 ") == "1 0 sh" })
	l.Note("now a process whose parent ends first. (A shell gives its background jobs /dev/null to read; there is no /dev here yet, " +
		"so an empty file takes its place.)")
	l.Inside("touch /dev/null; sleep 0.5 & echo I end, it goes on", "an orphan is left behind", says("I end, it goes on"))
	l.Outside(fmt.Sprintf("ps --ppid %d -o pid,state,comm", pid), "a child of number 1 now; ended, but nobody asked: a zombie",
		l.eventually(func() (string, error) { return children(pid) }, isZombie), isZombie)
	l.Inside("sleep 0.1; ps -o pid,ppid,stat,comm", "number 1 has asked: a real init does so for all", func(o Out) bool { return onlyOwnProcesses(o) && !o.Has("sleep") })
}
