package main

import (
	"os"
	"slices"

	"cutaway/vm"

	"github.com/spf13/cobra"
)

// marker is made by whoever provisions a disposable machine. That it is a file
// of root's and no variable is on purpose: nobody sets it by accident.
const marker = "/etc/cutaway-machine"

// disposable reports whether this is a lab machine: one that may be broken.
func disposable() bool {
	_, err := os.Stat(marker)
	return err == nil
}

// inFlag gives a verb the flag --in.
func inFlag(cmd *cobra.Command, in *string) {
	cmd.Flags().StringVar(in, "in", "auto", "where containers are built: `auto`, host or vm, the disposable machine")
	complete(cmd, "in", "auto", "host", "vm")
}

// place decides whether containers may be built here. Root's work is refused
// outside a disposable machine unless it is asked for by name.
func place(cmd *cobra.Command, in string) error {
	if err := oneOf(cmd, "in", in, "auto", "host", "vm"); err != nil {
		return err
	}
	if in == "vm" {
		return &cannotError{cmd.CommandPath() + ": the microVM has no network and no images but its own", "cutaway vm run -- cutaway run --in host built-in"}
	}
	if in == "host" || disposable() || os.Geteuid() != 0 {
		return nil
	}
	return &cannotError{cmd.CommandPath() + ": this would build containers on your own machine, as root",
		"--in vm builds them in a microVM; --in host if you mean it: the lab restores what it changes, and cutaway clean what a killed run left"}
}

// inVM runs this same command line in the microVM, as that machine's root.
func (c *cli) inVM(cmd *cobra.Command) error {
	return c.inMachine(cmd, &vmFlags{name: vm.DefaultName, cpus: 1}, append([]string{"cutaway"}, hereArgs(os.Args[1:])...), person() && c.asks())
}

// hereArgs is a command line with --in vm made --in host; what follows -- is the
// payload's.
func hereArgs(args []string) []string {
	args = slices.Clone(args)
	for i, arg := range args {
		switch {
		case arg == "--":
			return args
		case arg == "--in=vm":
			args[i] = "--in=host"
		case arg == "--in" && i+1 < len(args) && args[i+1] == "vm":
			args[i+1] = "host"
		}
	}
	return args
}

// needRoot refuses what the stages do to an ordinary user.
func needRoot(cmd *cobra.Command) error {
	if os.Geteuid() == 0 {
		return nil
	}
	return &cannotError{cmd.CommandPath() + ": not root: the stages make links, control groups and mounts of the host's",
		"sudo " + cmd.CommandPath() + " ...; or without root, in a user namespace: cutaway run --net none -u 0 built-in sh"}
}
