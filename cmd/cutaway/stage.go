package main

import (
	"context"
	"fmt"
	"os"

	"cutaway/cmd/run"
	"cutaway/sandbox/trace"
	"cutaway/stages"

	"github.com/spf13/cobra"
)

// stageFlags are the flags of cutaway stage.
type stageFlags struct {
	place
	script                    string
	plan, pause, shell, every bool
}

// stage plays one stage, or lists them.
func (c *cli) stage() *cobra.Command {
	var f stageFlags
	cmd := &cobra.Command{
		Use:   "stage [STAGE] [-- COMMAND...]",
		Short: "play one stage; without a name, list them",
		Long: "Build the container of one stage step by step and look at it from inside and\n" +
			"outside. STAGE is a number, a name or both: 4, pid or 04-pid. With a COMMAND,\n" +
			"that is run inside in place of the stage's own observations.",
		ValidArgsFunction: completeStages,
		RunE: func(cmd *cobra.Command, args []string) error {
			words, command := args, []string(nil)
			if dash := cmd.ArgsLenAtDash(); dash >= 0 {
				words, command = args[:dash], args[dash:]
			}
			if len(words) == 0 && len(command) == 0 && !c.html() {
				return c.listStages()
			}
			if len(words) != 1 {
				return &run.UsageError{What: "read the arguments of " + cmd.CommandPath(), Fact: "want one stage, and a command only after --", Path: cmd.CommandPath()}
			}
			s, err := stages.Find(words[0])
			if err != nil {
				return err
			}
			return c.runStage(cmd, s, f, command)
		},
	}
	c.pageFlag(cmd)
	f.define(cmd)
	cmd.Flags().BoolVar(&f.plan, "plan", false, "show what would be done, and do nothing of it")
	cmd.Flags().BoolVar(&f.pause, "pause", false, "stop before each step, and between observations")
	cmd.Flags().BoolVar(&f.shell, "shell", false, "open a shell inside in place of the observations")
	cmd.Flags().BoolVar(&f.every, "all", false, "show all steps, those of earlier stages too")
	cmd.Flags().StringVar(&f.script, "script", "", "print the stage as a script for the shell `sh`")
	complete(cmd, "script", "sh")
	return cmd
}

// completeStages offers the slugs of the stages as a first argument.
func completeStages(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return stageSlugs(), cobra.ShellCompDirectiveNoFileComp
}

func stageSlugs() []cobra.Completion {
	var slugs []cobra.Completion
	for _, s := range stages.All {
		slugs = append(slugs, cobra.CompletionWithDesc(s.Slug, s.Title))
	}
	return slugs
}

// runStage does with a stage what the flags say.
func (c *cli) runStage(cmd *cobra.Command, s stages.Stage, f stageFlags, command []string) error {
	ctx := cmd.Context()
	preview := f.plan || f.script != ""
	if err := oneOf(cmd, "script", f.script, "", "sh"); err != nil {
		return err
	}
	if err := c.askable(cmd, f.pause); err != nil {
		return err
	}
	if !preview {
		if here, err := f.here(cmd); err != nil {
			return err
		} else if !here {
			return c.inVM(cmd, errand{share: f.share, words: []string{s.Slug}, after: command, reads: f.pause || f.shell || len(command) > 0})
		}
		if err := needRoot(cmd); err != nil {
			return err
		}
	}
	r, finish, err := c.runner()
	if err != nil {
		return err
	}
	r.All = f.every
	if f.pause {
		c.stepwise(cmd.Context(), r)
	}
	if f.shell && len(command) == 0 {
		command = []string{"/bin/sh"}
	}
	switch {
	case f.script != "":
		text, err := r.Script(ctx, s)
		fmt.Print(text)
		return err
	case f.plan:
		return either(r.Show(ctx, s), finish)
	case len(command) > 0:
		status, err := c.execStage(ctx, r, s, command, f.shell)
		return run.Ended(status, either(err, finish))
	default:
		return c.playStage(ctx, r, s, finish)
	}
}

// playStage makes the stage's own observations.
func (c *cli) playStage(ctx context.Context, r *stages.Runner, s stages.Stage, finish func() error) error {
	err := r.Run(ctx, s)
	if err == nil {
		err = stages.Remember(s)
	}
	return either(quit(err), finish)
}

// execStage runs a command in the stage's container. Its output is the only one
// that standard output may get beside the events: where there is no place for
// it, it becomes one.
func (c *cli) execStage(ctx context.Context, r *stages.Runner, s stages.Stage, command []string, shell bool) (int, error) {
	if !c.asks() {
		return r.Probe(ctx, s, command)
	}
	status, err := r.Exec(ctx, s, stages.Command{Args: command, Stdio: [3]*os.File{os.Stdin, os.Stdout, os.Stderr}, Terminal: shell && run.Person()})
	return status, quit(err)
}

// runner opens the lab and its images, and shows on standard output what
// happens in it.
func (c *cli) runner() (r *stages.Runner, finish func() error, err error) {
	l, err := c.lab()
	if err != nil {
		return nil, nil, err
	}
	images, err := store(l)
	if err != nil {
		return nil, nil, err
	}
	sink, finish := c.sink(l.Features)
	l.Emit = sink.Emit
	return &stages.Runner{Lab: l, Store: images, Relay: run.Relay}, finish, nil
}

// askable refuses to ask a program, or the reader of a page.
func (c *cli) askable(cmd *cobra.Command, pause bool) error {
	if pause && !c.asks() {
		return &run.UsageError{What: "read the flags of " + cmd.CommandPath(), Fact: "--pause asks, and --format " + c.format + " never does", Path: cmd.CommandPath()}
	}
	return c.toFile(cmd)
}

// stepwise asks the person before each step, and waits for them between
// observations.
func (c *cli) stepwise(ctx context.Context, r *stages.Runner) {
	p := c.prompter()
	r.Pause, r.Wait = p.Ask, func(next string) { p.Wait(ctx, next) }
}

// prompter asks on standard output and reads from standard input.
func (c *cli) prompter() *trace.Prompter {
	return trace.NewPrompter(os.Stdin, os.Stdout, c.text(os.Stdout))
}

// either is err, or what finish returns.
func either(err error, finish func() error) error {
	if err != nil {
		return err
	}
	return finish()
}
