package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"cutaway/cmd/run"
	"cutaway/sandbox/trace"
	"cutaway/vm"
)

// watched has somebody at the terminal see what happens until a machine is
// ready; with tell they also see what machine it is.
func (c *cli) watched(m vm.Config, tell bool) vm.Config {
	if !run.IsTerminal(os.Stderr) {
		return m
	}
	m.Kernel.Progress = c.longWork
	m.Booting = func(k *vm.Kernel, accel string) {
		how := "emulated in software"
		if accel == "kvm" {
			how = "under KVM"
		}
		c.transient(fmt.Sprintf(" booting Linux %s in a microVM, %s ...", k.Version, how))
	}
	m.Ready = func(up *vm.Machine) {
		c.transient("")
		if tell {
			tellMachine(up.Kernel.Version, up.Accel, fmt.Sprintf("booted in %.1f s", up.Boot.Seconds()))
		}
	}
	return m
}

// transient shows a line that the next one replaces, or clear takes away.
func (c *cli) transient(line string) {
	c.unended = line != ""
	fmt.Fprint(os.Stderr, "\r\x1b[K", line)
}

// clear takes away what transient has shown, for what comes in its place.
func (c *cli) clear() {
	if c.unended {
		c.transient("")
	}
}

// longWork shows how far something is that takes long.
func (c *cli) longWork(doing string, percent float64) {
	if percent < 0 {
		c.transient(" " + doing + " ...")
		return
	}
	const width, fill = 16, "================"
	done := min(int(percent/100*width), width)
	c.transient(fmt.Sprintf(" %s [%-*s] %3.0f %%", doing, width, fill[:done], percent))
}

// tellMachine says to a person in what machine the following happens, and why it
// is slow if it is.
func tellMachine(kernel, accel, how string) {
	if !run.IsTerminal(os.Stderr) {
		return
	}
	paragraph := func(text string) string { return strings.ReplaceAll(trace.Wrap(text, 70), "\n", "\n          ") }
	fmt.Fprintf(os.Stderr, " microVM  %s\n", paragraph("Linux "+kernel+", cgroup v2; "+how))
	if accel == "kvm" {
		return
	}
	why := "--accel tcg asks for that"
	if v, known := vm.Acceleration(runtime.GOARCH); known && v.Why != "" {
		why, _, _ = strings.Cut(strings.TrimPrefix(v.Why, "open "), ": boot")
	}
	fmt.Fprintf(os.Stderr, "          %s\n", paragraph("emulated in software: "+why))
}
