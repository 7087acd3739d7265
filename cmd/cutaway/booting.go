package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"cutaway/sandbox/trace"
	"cutaway/vm"
)

// watched has somebody at the terminal see what happens until a machine is
// ready; with tell they also see what machine it is.
func watched(c vm.Config, tell bool) vm.Config {
	if !isTerminal(os.Stderr) {
		return c
	}
	c.Kernel.Progress = longWork
	c.Booting = func(k *vm.Kernel, accel string) {
		how := "emulated in software"
		if accel == "kvm" {
			how = "under KVM"
		}
		transient(fmt.Sprintf(" booting Linux %s in a microVM, %s ...", k.Version, how))
	}
	c.Ready = func(m *vm.Machine) {
		transient("")
		if tell {
			tellMachine(m.Kernel.Version, m.Accel, fmt.Sprintf("booted in %.1f s", m.Boot.Seconds()))
		}
	}
	return c
}

// transient shows a line that the next one replaces.
func transient(line string) { fmt.Fprint(os.Stderr, "\r\x1b[K", line) }

// longWork shows how far something is that takes long.
func longWork(doing string, percent float64) {
	if percent < 0 {
		transient(" " + doing + " ...")
		return
	}
	const width, fill = 16, "================"
	done := min(int(percent/100*width), width)
	transient(fmt.Sprintf(" %s [%-*s] %3.0f %%", doing, width, fill[:done], percent))
}

// tellMachine says to a person in what machine the following happens, and why it
// is slow if it is.
func tellMachine(kernel, accel, how string) {
	if !isTerminal(os.Stderr) {
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
