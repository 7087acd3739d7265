package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"cutaway/cmd/run"
	"cutaway/exercises"
	"cutaway/lessons"
	"cutaway/lessons/progress"
	"cutaway/sandbox/trace"

	"github.com/spf13/cobra"
)

// exerciseFlags are what the verbs below exercise share.
type exerciseFlags struct{ dir, course, in string }

// exercise is tasks whose results are checked in the kernel.
func (c *cli) exercise() *cobra.Command {
	var f exerciseFlags
	cmd := &cobra.Command{
		Use:   "exercise",
		Short: "tasks, checked in the kernel: list, start, check, watch, hint, solution, reset",
		Long: "Tasks to do in a plain shell, as root in the lab machine. What you did is read\n" +
			"back from the kernel; what you print counts for nothing.",
		Args: none,
		RunE: func(*cobra.Command, []string) error { return c.listExercises(f) },
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = "." // without a home, here
	}
	cmd.PersistentFlags().StringVar(&f.dir, "dir", filepath.Join(home, "cutaway-exercises"), "keep attempts below `DIR`")
	cmd.PersistentFlags().StringVar(&f.course, "course", "", "take exercises from `DIR` in place of the built-in ones")
	cmd.PersistentFlags().StringVar(&f.in, "in", "auto", "where the work is done: `auto` or host, which means this machine")
	verb := func(use, short string, run func(context.Context, *exerciseFlags, []string) error) *cobra.Command {
		v := &cobra.Command{Use: use, Short: short,
			Args: func(cmd *cobra.Command, args []string) error { return count(cmd, args, 0, 1) },
			ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
				return f.slugs(), cobra.ShellCompDirectiveNoFileComp
			},
			RunE: func(cmd *cobra.Command, args []string) error { return run(cmd.Context(), &f, args) }}
		cmd.AddCommand(v)
		return v
	}
	list := verb("list [STAGE]", "all exercises or those of a stage, and how far you are", func(_ context.Context, f *exerciseFlags, args []string) error {
		return c.listExercises(*f, args...)
	})
	list.ValidArgsFunction = completeStages
	start := verb("start EXERCISE", "lay out the task, and what it needs", nil)
	start.RunE = func(cmd *cobra.Command, args []string) error {
		if err := count(cmd, args, 1, 1); err != nil {
			return err
		}
		if err := exercisePlace(cmd, f.in); err != nil {
			return err
		}
		return c.startExercise(cmd.Context(), f, args[0])
	}
	verb("check [EXERCISE]", "look in the kernel whether it is done", c.checkExercise)
	verb("watch [EXERCISE]", "check again and again until it is done", c.watchExercise)
	verb("hint [EXERCISE]", "the next hint", c.hint)
	var giveUp bool
	solution := verb("solution [EXERCISE]", "how it is done, once you have done it", func(ctx context.Context, f *exerciseFlags, args []string) error {
		return c.solution(f, args, giveUp)
	})
	solution.Flags().BoolVar(&giveUp, "give-up", false, "show it before; that is noted")
	verb("reset [EXERCISE]", "begin anew, with new numbers", c.resetExercise)
	cmd.AddCommand(c.verifyExercises(&f), c.report(&f))
	return cmd
}

// exercisePlace refuses exercises on a machine that matters: what a learner does
// there by hand, nobody undoes.
func exercisePlace(cmd *cobra.Command, in string) error {
	if err := oneOf(cmd, "in", in, "auto", "host"); err != nil {
		return err
	}
	if in == "host" || run.Disposable() || os.Geteuid() != 0 {
		return nil
	}
	return &cannotError{cmd.CommandPath() + ": this is your own machine, and exercises are done as root",
		"cutaway vm shell, and begin it there; or --in host if you mean this machine"}
}

func (f exerciseFlags) all() ([]exercises.Exercise, error) {
	if f.course == "" {
		return exercises.All()
	}
	all, err := exercises.Read(os.DirFS(f.course))
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("read course %s: no exercise in it", f.course)
	}
	return all, err
}

func (f exerciseFlags) slugs() []cobra.Completion {
	all, err := f.all()
	if err != nil {
		return nil
	}
	var words []cobra.Completion
	for _, e := range all {
		words = append(words, cobra.CompletionWithDesc(e.Slug, e.Title))
	}
	return words
}

// path is where the attempt at an exercise is kept.
func (f exerciseFlags) path(e exercises.Exercise) string {
	return filepath.Join(f.dir, filepath.FromSlash(e.Slug))
}

// attempt loads the one that is named, or the one begun last.
func (f exerciseFlags) attempt(args []string) (*exercises.Attempt, error) {
	all, err := f.all()
	if err != nil {
		return nil, err
	}
	if len(args) > 0 {
		e, err := exercises.Find(all, args[0])
		if err != nil {
			return nil, err
		}
		return exercises.Load(all, f.path(e))
	}
	var last *exercises.Attempt
	for _, e := range all {
		a, err := exercises.Load(all, f.path(e))
		if err == nil && (last == nil || a.Begun.After(last.Begun)) {
			last = a
		}
	}
	if last == nil {
		return nil, &exercises.NotBegunError{Dir: f.dir}
	}
	return last, nil
}

func (c *cli) startExercise(ctx context.Context, f exerciseFlags, word string) error {
	all, err := f.all()
	if err != nil {
		return err
	}
	e, err := exercises.Find(all, word)
	if err != nil {
		return err
	}
	a, err := exercises.Start(ctx, e, f.path(e))
	if err != nil {
		return err
	}
	return errors.Join(progress.Note(progress.Entry{Exercise: e.Slug, Did: "begun"}), c.showTask(a))
}

func (c *cli) showTask(a *exercises.Attempt) error {
	o := c.text(os.Stdout)
	_, err := fmt.Printf("\n %s  %s\n\n%s\n in %s\n when you have it: cutaway exercise check\n", o.Bold(a.Slug), o.Bold(a.Exercise.Title),
		lessons.Text([]byte(a.Task()), o), a.Dir)
	return err
}

// checkExercise looks once, and fails unless all is well.
func (c *cli) checkExercise(ctx context.Context, f *exerciseFlags, args []string) error {
	a, err := f.attempt(args)
	if err != nil {
		return err
	}
	findings, err := look(ctx, a)
	if err != nil {
		return err
	}
	c.showFindings(a, findings)
	if !a.Exercise.Passed(findings) {
		return run.PayloadStatus(run.Failed) // it has been said what is missing
	}
	return progress.Note(progress.Entry{Exercise: a.Slug, Did: "passed"})
}

// look checks an attempt. Where a program is to be built that can take long, and
// it says so then.
func look(ctx context.Context, a *exercises.Attempt) ([]exercises.Finding, error) {
	if a.Exercise.Kind == "write" {
		t := time.AfterFunc(3*time.Second, func() {
			fmt.Fprintln(os.Stderr, " building your program: the first time, the compiler builds its library as well")
		})
		defer t.Stop()
	}
	return a.Check(ctx)
}

// showFindings says what is so, and of what is not why.
func (c *cli) showFindings(a *exercises.Attempt, findings []exercises.Finding) {
	o := c.text(os.Stdout)
	fmt.Printf("\n %s\n", o.Bold(a.Slug))
	for _, f := range findings {
		if f.OK {
			fmt.Printf("   ok   %s\n", f.Want)
			continue
		}
		fmt.Printf("   NO   %s\n", o.Bold(f.Want))
		for _, line := range [][2]string{{"expected", f.Expected}, {"observed", f.Observed}, {"likely", f.Cause}, {"look", f.Look}} {
			if line[1] == "" {
				continue
			}
			label := fmt.Sprintf("        %-10s", line[0])
			text := strings.Split(strings.TrimRight(trace.Wrap(line[1], o.Columns()-len(label)), "\n"), "\n")
			fmt.Println(label + strings.Join(text, "\n"+strings.Repeat(" ", len(label))))
		}
	}
	if a.Exercise.Passed(findings) {
		fmt.Printf(" passed: the kernel agrees\n to compare: cutaway exercise solution %s\n", a.Slug)
		return
	}
	fmt.Printf(" %d of %d; stuck? cutaway exercise hint %s\n", len(findings)-1, len(a.Exercise.Checks), a.Slug)
}

// watchExercise looks each second, and shows what it finds when that is new.
func (c *cli) watchExercise(ctx context.Context, f *exerciseFlags, args []string) error {
	a, err := f.attempt(args)
	if err != nil {
		return err
	}
	for last := ""; ; {
		findings, err := look(ctx, a)
		if err != nil {
			return err
		}
		if now := fmt.Sprint(findings); now != last {
			last = now
			c.showFindings(a, findings)
		}
		if a.Exercise.Passed(findings) {
			return progress.Note(progress.Entry{Exercise: a.Slug, Did: "passed"})
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *cli) hint(_ context.Context, f *exerciseFlags, args []string) error {
	a, err := f.attempt(args)
	if err != nil {
		return err
	}
	text, err := a.Hint()
	if err == nil {
		_, err = fmt.Printf("\n hint %d of %d\n\n%s", a.Hints, len(a.Exercise.Hints), lessons.Text([]byte(text), c.text(os.Stdout)))
	}
	return err
}

// solution shows it to those who have their own.
func (c *cli) solution(f *exerciseFlags, args []string, giveUp bool) error {
	a, err := f.attempt(args)
	if err != nil {
		return err
	}
	did, err := whatWasDone()
	if err != nil {
		return err
	}
	if !did[a.Slug]["passed"] && !giveUp {
		return &cannotError{"show the solution of " + a.Slug + ": it is not passed yet", "cutaway exercise hint; or --give-up, which is noted"}
	}
	if giveUp && !did[a.Slug]["passed"] {
		if err := progress.Note(progress.Entry{Exercise: a.Slug, Did: "gave up"}); err != nil {
			return err
		}
	}
	text, err := a.Solution()
	if err == nil {
		_, err = fmt.Print(text)
	}
	return err
}

func (c *cli) resetExercise(ctx context.Context, f *exerciseFlags, args []string) error {
	a, err := f.attempt(args)
	if err != nil {
		return err
	}
	if a, err = a.Reset(ctx); err != nil {
		return err
	}
	if err := c.showTask(a); err != nil || a.Exercise.Kind != "write" {
		return err
	}
	_, err = fmt.Println(" the program you had: main.go.before")
	return err
}
