package main

import (
	"context"
	"os"

	"cutaway/sandbox"
	"cutaway/sandbox/doctor"
	"cutaway/sandbox/features"
	"cutaway/sandbox/trace"
	"cutaway/vm"

	"github.com/spf13/cobra"
)

// doctor says whether this machine can run the lab.
func (c *cli) doctor() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "can this machine run the lab: each problem, its cause, the fix",
		Long:  "Look at this machine without changing it. The exit status is 0 if the lab can\nrun, and 3 if it cannot.",
		Args:  none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dirs, err := sandbox.DefaultDirs(c.state)
			if err != nil {
				return err
			}
			f, err := features.Detect()
			if err != nil {
				return err
			}
			findings := doctor.Examine(cmd.Context(), doctor.Machine{Features: f, State: dirs.Data, Installed: installed})
			for _, f := range findings {
				if err := c.finding(f); err != nil {
					return err
				}
			}
			if !doctor.Sound(findings) {
				return &cannotError{"this machine cannot run the lab", "the fixes are above, the first one first"}
			}
			return nil
		},
	}
	c.formatFlag(cmd)
	return cmd
}

// installed says what the lab calls that is not here, and how to get it.
func installed(ctx context.Context) (lacking, fix string, err error) {
	if lacking, err = vm.Lacking(ctx, "lab"); err != nil || lacking == "" {
		return lacking, "", err
	}
	fix, err = vm.InstallCommand(ctx, "lab")
	return lacking, fix, err
}

// finding shows one finding, and what to do if something is wrong.
func (c *cli) finding(f doctor.Finding) error {
	if c.json() {
		return writeJSON(f)
	}
	return trace.WriteFinding(os.Stdout, c.text(os.Stdout), trace.Finding{Level: string(f.Level), Check: f.Check, Found: f.Found, Cause: f.Cause, Fix: f.Fix})
}
