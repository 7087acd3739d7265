package stages

import (
	"context"
	"fmt"
	"os"

	"cutaway/sandbox/features"
	"cutaway/sandbox/plan"
)

// pid makes the process number 1 of its own numbering.
var pid = Stage{
	Slug:   "04-pid",
	Title:  "process numbers of its own",
	Belief: "a PID namespace hides processes",
	Lesson: "One process, two numbers. What hides the others is the fresh /proc, not the namespace.",
	Code:   "sandbox/op/namespace.go",
	Needs:  func(f features.Features) error { return f.HaveNamespace("pid") },
	Add: func(s *plan.Spec, _ Materials) {
		s.Add("pid")
		s.Linux.Proc = true
	},
	Look: lookPID,
}

func lookPID(_ context.Context, l *Look) {
	l.Inside("echo $$", "inside it is number 1", func(o Out) bool { return o.Text == "1" })
	status := fmt.Sprintf("/proc/%d/status", l.Container.PID())
	l.Outside("grep NSpid "+status, "outside it has another number: two entries",
		func() (string, error) {
			b, err := os.ReadFile(status)
			return (Out{Text: string(b)}).lineText("NSpid:"), err
		},
		func(s string) bool { return s == fmt.Sprintf("NSpid: %d 1", l.Container.PID()) })
}
