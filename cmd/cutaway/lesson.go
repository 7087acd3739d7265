package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"syscall"

	"cutaway/cmd/run"
	"cutaway/lessons"
	"cutaway/lessons/progress"
	"cutaway/sandbox/sys"
	"cutaway/sandbox/trace"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// lessonFlags are the flags of cutaway lesson.
type lessonFlags struct {
	in, format, course string
	begin              bool
}

// lesson plays a lesson, or lists them.
func (c *cli) lesson() *cobra.Command {
	var f lessonFlags
	cmd := &cobra.Command{
		Use:   "lesson [LESSON]",
		Short: "play a lesson; without a name, list them",
		Long: "Play the lesson of a stage: it asks what you expect, runs the stage, asks what\n" +
			"you saw, and explains. It goes on where you stopped. Into a pipe or a file the\n" +
			"lesson is written as a text to read.",
		Args: func(cmd *cobra.Command, args []string) error { return count(cmd, args, 0, 1) },
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return completeLessons(f, args), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error { return c.runLesson(cmd, f, args) },
	}
	inFlag(cmd, &f.in)
	cmd.Flags().StringVar(&f.format, "format", "", "`md`, html or slides: write it for reading, printing or showing")
	cmd.Flags().StringVar(&f.course, "course", "", "read lessons from `DIR` in place of the built-in ones")
	cmd.Flags().BoolVar(&f.begin, "from-the-start", false, "begin anew")
	complete(cmd, "format", "md", "html", "slides")
	return cmd
}

func (f lessonFlags) read() (lessons.Course, error) {
	if f.course == "" {
		return lessons.BuiltIn()
	}
	if st, err := os.Stat(f.course); err != nil {
		return nil, fmt.Errorf("open course: %w", err)
	} else if !st.IsDir() {
		return nil, &fs.PathError{Op: "open course", Path: f.course, Err: errors.New("not a directory")}
	}
	return lessons.Read(os.DirFS(f.course))
}

func completeLessons(f lessonFlags, args []string) []cobra.Completion {
	course, err := f.read()
	if len(args) > 0 || err != nil {
		return nil
	}
	var words []cobra.Completion
	for _, l := range course {
		words = append(words, cobra.CompletionWithDesc(l.Slug, l.Title))
	}
	return words
}

func (c *cli) runLesson(cmd *cobra.Command, f lessonFlags, args []string) error {
	if err := oneOf(cmd, "format", f.format, "", "md", "html", "slides"); err != nil {
		return err
	}
	course, err := f.read()
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return c.listLessons(course)
	}
	l, err := course.Find(args[0])
	if err != nil {
		return err
	}
	switch {
	case f.format == "md":
		_, err = os.Stdout.Write(l.Markdown())
	case f.format == "html":
		err = lessons.WritePage(os.Stdout, l)
	case f.format == "slides":
		err = lessons.WriteSlides(os.Stdout, l)
	case !run.Person():
		_, err = fmt.Print(lessons.Text(l.Markdown(), c.text(os.Stdout)))
	default:
		err = c.playLesson(cmd.Context(), f, course, l)
	}
	return err
}

// playLesson plays it to the person at the terminal.
func (c *cli) playLesson(ctx context.Context, f lessonFlags, course lessons.Course, l lessons.Lesson) error {
	done, err := progress.All()
	if err != nil {
		return err
	}
	from := lessons.Resume(l, done)
	if f.begin {
		from = 0
	}
	p := lessons.Player{In: bufio.NewReader(os.Stdin), Out: os.Stdout, Options: c.text(os.Stdout), Note: progress.Note,
		Stage: func(ctx context.Context, stage string, pause bool) error { return playStage(ctx, stage, f.in, pause) }}
	if _, rows, err := term.GetSize(int(os.Stdout.Fd())); err == nil {
		p.Height = rows
	}
	err = p.Play(ctx, l, from, done)
	if errors.Is(err, lessons.ErrStopped) {
		fmt.Printf("\n to go on: cutaway lesson %s\n", l.Slug)
		return nil
	}
	if err != nil {
		return err
	}
	return c.afterLesson(course, l)
}

// afterLesson says what there is to do with what was learned, and what is next.
func (c *cli) afterLesson(course lessons.Course, l lessons.Lesson) error {
	todo, err := exerciseFlags{}.of(l.Slug)
	if err != nil {
		return err
	}
	for n, e := range todo {
		if n == 0 {
			fmt.Print("\n to do by yourself, in the lab machine; the kernel is asked whether it is done:\n")
		}
		fmt.Printf("   %s\n     cutaway exercise start %s\n", e.Title, e.Slug)
	}
	next := slices.IndexFunc(course, func(other lessons.Lesson) bool { return other.Slug == l.Slug }) + 1
	if next < len(course) {
		fmt.Printf("\n next: cutaway lesson %s\n", course[next].Slug)
	} else {
		fmt.Print("\n that was the last; cutaway exercise list shows what there is to do\n")
	}
	return nil
}

// playStage runs cutaway stage as a program of its own: where it is to run is
// for that verb to decide.
func playStage(ctx context.Context, stage, in string, pause bool) error {
	self, err := sys.Self()
	if err != nil {
		return fmt.Errorf("play stage %s: %w", stage, err)
	}
	args := []string{"stage", stage, "--in", in}
	if pause {
		args = append(args, "--pause")
	}
	again := exec.CommandContext(ctx, self, args...)
	again.Stdin, again.Stdout, again.Stderr = os.Stdin, os.Stdout, os.Stderr
	again.Cancel = func() error { return handDown(ctx, again.Process) }
	var status *exec.ExitError
	if err := again.Run(); errors.As(err, &status) {
		return run.PayloadStatus(status.ExitCode()) // it has said why
	} else if err != nil {
		return fmt.Errorf("play stage %s: %w", stage, err)
	}
	return nil
}

// handDown tells the stage, which has things to take down, of the signal that ended
// ctx. What comes from a terminal has reached it already: a second one would end it
// at once.
func handDown(ctx context.Context, stage *os.Process) error {
	var s *run.SignalError
	if errors.As(context.Cause(ctx), &s) && s.Signal == syscall.SIGTERM {
		return stage.Signal(s.Signal)
	}
	return nil
}

// listLessons shows what there is to read, and how far a person has come.
func (c *cli) listLessons(course lessons.Course) error {
	done, err := progress.All()
	if err != nil {
		return err
	}
	var rows [][]string
	for _, l := range course {
		rows = append(rows, []string{l.Slug, l.Title, fmt.Sprintf("%d min", l.Minutes), l.Progress(done)})
	}
	return trace.Table(os.Stdout, c.text(os.Stdout), []string{"Lesson", "About", "Takes", "You"}, rows)
}
