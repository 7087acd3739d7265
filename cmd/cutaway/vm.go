package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"cutaway/cmd/run"
	"cutaway/sandbox/sys"
	"cutaway/vm"

	"github.com/spf13/cobra"
)

// vmFlags say what machine is meant.
type vmFlags struct {
	name, kernel, accel, share string
	memory, cpus               int
	timeout                    time.Duration
}

// vm is the disposable machine.
func (c *cli) vm() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "vm",
		Short: "a disposable machine to build containers in: up, run, shell, down, list",
		Long: "A microVM with a kernel and a userland of its own, and this program in it. It\n" +
			"needs no root, has no network, and leaves nothing behind.",
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.vmUp(), c.vmRun(), c.vmShell(), c.vmDown(), c.vmList(), c.vmKeep())
	return cmd
}

// machine gives a verb the flags that describe hardware.
func (f *vmFlags) machine(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.kernel, "kernel", "", "a `FILE` to boot, or a series of Debian's: 5.10, 6.1, 6.12")
	cmd.Flags().IntVar(&f.memory, "memory", 0, "memory in `MiB`: 512 if not given")
	cmd.Flags().IntVar(&f.cpus, "cpus", 1, "number of processors")
	cmd.Flags().StringVar(&f.accel, "accel", "", "kvm or tcg; if not given, what works")
	complete(cmd, "accel", "kvm", "tcg")
}

func (f *vmFlags) which(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.name, "name", vm.DefaultName, "`NAME` of a machine that stays up")
}

var series = regexp.MustCompile(`^[0-9]+\.[0-9]+$`)

// config is the machine that the flags describe.
func (f *vmFlags) config(cmd *cobra.Command) (vm.Config, error) {
	conf := vm.Config{Tools: true, Memory: f.memory, CPUs: f.cpus, Accel: f.accel}
	if f.memory < 0 || f.cpus < 1 {
		return conf, &run.UsageError{What: "read the flags of " + cmd.CommandPath(), Fact: "less than one of something", Path: cmd.CommandPath()}
	}
	if err := oneOf(cmd, "accel", f.accel, "", "kvm", "tcg"); err != nil {
		return conf, err
	}
	if series.MatchString(f.kernel) {
		conf.Kernel.Series = f.kernel
	} else {
		conf.Kernel.File = f.kernel
	}
	return conf, nil
}

// vmRun runs one command in a machine.
func (c *cli) vmRun() *cobra.Command {
	var f vmFlags
	cmd := &cobra.Command{
		Use:   "run [flags] -- COMMAND...",
		Short: "run a command in a machine of its own, or in the one that is up",
		Args:  func(cmd *cobra.Command, args []string) error { return count(cmd, args, 1, max(1, len(args))) },
		RunE:  func(cmd *cobra.Command, args []string) error { return c.inMachine(cmd, &f, args, false) },
	}
	f.machine(cmd)
	f.which(cmd)
	cmd.Flags().SetInterspersed(false)
	cmd.Flags().StringVar(&f.share, "share", "", "copy `DIR` to "+vm.ShareDir+", and what changed there back")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 0, "end the command after this `TIME`, such as 90s")
	return cmd
}

// vmShell opens a shell.
func (c *cli) vmShell() *cobra.Command {
	var f vmFlags
	cmd := &cobra.Command{
		Use:   "shell [flags]",
		Short: "open a root shell in a machine of its own, or in the one that is up",
		Args:  none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.inMachine(cmd, &f, []string{"/bin/sh", "-c", `export PS1='microvm:$PWD# '; exec $(command -v bash || echo sh) -l`}, true)
		},
	}
	f.machine(cmd)
	f.which(cmd)
	cmd.Flags().StringVar(&f.share, "share", "", "copy `DIR` to "+vm.ShareDir+", and what changed there back")
	return cmd
}

// inMachine runs a command in the machine that is up, unless the flags describe
// another, else in one of its own.
func (c *cli) inMachine(cmd *cobra.Command, f *vmFlags, args []string, tell bool) error {
	config, err := f.config(cmd)
	if err != nil {
		return err
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, passedOn...)
	defer signal.Stop(signals)
	o := vm.Options{Config: c.watched(config, tell), Share: f.share, Timeout: f.timeout, Before: takeProgress, After: bringProgress, Command: vm.Command{Args: args, Env: environment(),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Signals: signals,
		Started: c.patience.Begin}} // from here on a signal is the command's
	if run.Person() {
		o.Terminal = terminals(true)
	}
	run := vm.Run
	own := false
	for _, flag := range []string{"kernel", "memory", "cpus", "accel"} {
		own = own || cmd.Flags().Changed(flag)
	}
	if !own {
		link, err := vm.Connect(vm.StateDir(), f.name)
		var not *vm.NotUpError
		if err == nil {
			defer link.Close()
			o.Before = nil // others may be at work there
			run = func(ctx context.Context, o vm.Options) (int, error) { return vm.RunIn(ctx, link, o) }
		} else if !errors.As(err, &not) || cmd.Flags().Changed("name") {
			return err
		}
	}
	status, err := run(cmd.Context(), o)
	return c.left(status, err)
}

// environment is what a command in a machine is told of this terminal.
func environment() []string {
	var env []string
	for _, name := range []string{"TERM", "COLORTERM", "NO_COLOR", "LANG", "LC_CTYPE", "LC_ALL"} {
		if value, set := os.LookupEnv(name); set {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// vmUp starts a machine that stays.
func (c *cli) vmUp() *cobra.Command {
	var f vmFlags
	cmd := &cobra.Command{
		Use:   "up [flags]",
		Short: "start a machine that stays until vm down",
		Args:  none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := f.config(cmd)
			if err != nil {
				return err
			}
			// Here, where somebody watches; the keeper finds it in the cache.
			if _, err := vm.FindKernel(cmd.Context(), c.watched(config, false).Kernel); err != nil {
				return err
			}
			c.clear()
			self, err := sys.Self()
			if err == nil && config.Kernel.File != "" {
				f.kernel, err = filepath.Abs(f.kernel)
			}
			if err != nil {
				return err
			}
			keep := exec.Command(self, "vm", "keep", "--name", f.name, "--kernel", f.kernel,
				"--memory", strconv.Itoa(f.memory), "--cpus", strconv.Itoa(f.cpus), "--accel", f.accel)
			keep.Dir = "/"
			info, err := vm.Up(cmd.Context(), keep)
			if err != nil {
				return err
			}
			fmt.Println(info)
			return nil
		},
	}
	f.machine(cmd)
	f.which(cmd)
	return cmd
}

// vmKeep is the process that vm up leaves behind.
func (c *cli) vmKeep() *cobra.Command {
	var f vmFlags
	cmd := &cobra.Command{
		Use: "keep", Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := f.config(cmd)
			if err != nil {
				return err
			}
			return vm.KeepUntilDown(cmd.Context(), vm.StateDir(), f.name, config)
		},
	}
	f.machine(cmd)
	f.which(cmd)
	return cmd
}

// vmDown switches a machine off.
func (c *cli) vmDown() *cobra.Command {
	var f vmFlags
	cmd := &cobra.Command{
		Use:   "down [flags]",
		Short: "switch the machine off",
		Args:  none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), 10*time.Second)
			defer cancel()
			return vm.Down(ctx, vm.StateDir(), f.name)
		},
	}
	f.which(cmd)
	return cmd
}

// vmList lists the machines that are up.
func (c *cli) vmList() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "list the machines that are up",
		Args:  none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			machines, err := vm.List(vm.StateDir())
			if err != nil {
				return err
			}
			for _, m := range machines {
				if c.json() {
					err = writeJSON(m)
				} else {
					_, err = fmt.Println(m)
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.formatFlag(cmd)
	return cmd
}
