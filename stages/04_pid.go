package stages

import (
	"context"
	"fmt"
	"strings"

	"cutaway/stages/buildup"
)

// pid makes the process number 1 of its own numbering.
var pid = Stage{
	Part:   buildup.PID,
	Title:  "process numbers of its own",
	Belief: "a PID namespace hides processes",
	Lesson: "One process, two numbers. The namespace decides whom a number means; what hides the others is the fresh /proc.",
	Code:   "sandbox/op/namespace.go",
	Look:   lookPID,
}

func lookPID(ctx context.Context, l *Look) {
	pid := l.Container.PID()
	l.Inside("echo $$", "inside it is number 1", says("1"))
	status := fmt.Sprintf("/proc/%d/status", pid)
	l.Outside("grep NSpid "+status, "one process, a number in each namespace", readLine(status, "NSpid:"), is(fmt.Sprintf("NSpid: %d 1", pid)))
	l.Inside("ps -o pid,ppid,comm", "nobody but itself and what it started", onlyOwnProcesses)
	lookSecondPID(ctx, l)
	lookInit(l)
	lookNested(l)
	l.Note("unshare takes nobody into a new PID namespace but the children that follow. When the first of them has ended, the last call fails with ENOMEM, on purpose.")
	l.Inside("probe pidns", "a namespace that lost its number 1 takes nobody any more", func(o Out) bool {
		return o.Status == 1 && o.Has("own getpid() = 1;") && strings.Contains(o.Text[strings.LastIndex(o.Text, "\n")+1:], "ENOMEM")
	})
}

// onlyOwnProcesses checks what ps prints: the shell as number 1, and few more.
func onlyOwnProcesses(o Out) bool {
	return o.Status == 0 && strings.HasPrefix(o.lineText("    1 "), "1 0 ") && strings.Count(o.Text, "\n") <= 3
}
