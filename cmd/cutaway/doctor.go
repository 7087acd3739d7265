package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"cutaway/cmd/run"
	"cutaway/sandbox"
	"cutaway/sandbox/doctor"
	"cutaway/sandbox/features"
	"cutaway/sandbox/trace"
	"cutaway/vm"

	"github.com/spf13/cobra"
)

// systems are the words for --fixes-for, and the package managers they mean.
var systems = map[string]string{"": "", "debian": "apt", "ubuntu": "apt", "fedora": "dnf", "alpine": "apk", "arch": "pacman", "macos": "brew"}

// doctor says whether this machine can run the lab.
func (c *cli) doctor() *cobra.Command {
	var fixesFor string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "can this machine run the lab: each problem, its cause, the fix",
		Long: "Look at this machine without changing it. The exit status is 0 if the lab can\n" +
			"run, in a microVM or on this host, and 3 if it cannot.",
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.examine(cmd, fixesFor) },
	}
	c.formatFlag(cmd)
	names := []string{"debian", "ubuntu", "fedora", "arch", "alpine", "macos"}
	cmd.Flags().StringVar(&fixesFor, "fixes-for", "", "give the fixes for another `SYSTEM`: debian, ubuntu, fedora, arch, alpine, macos")
	complete(cmd, "fixes-for", names...)
	return cmd
}

func (c *cli) examine(cmd *cobra.Command, fixesFor string) error {
	if err := oneOf(cmd, "fixes-for", fixesFor, "", "debian", "ubuntu", "fedora", "arch", "alpine", "macos"); err != nil {
		return err
	}
	dirs, err := sandbox.DefaultDirs(c.state)
	if err != nil {
		return err
	}
	f, err := features.Detect()
	if err != nil {
		return err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	known, err := knownPackages(cmd.Context(), systems[fixesFor])
	if err != nil {
		return err
	}
	findings := doctor.Examine(cmd.Context(), doctor.Machine{Features: f, Root: "/", State: dirs.Data,
		Cache: filepath.Join(cache, "cutaway"), Lab: run.Disposable(), Packages: known, Guests: guests{}})
	place := doctor.Anywhere
	for _, f := range findings {
		if f.Place != place && !c.json() && !run.Disposable() { // a lab machine is the one place there is
			place = f.Place
			fmt.Printf("\n %s\n", places[place])
		}
		if err := c.finding(f); err != nil {
			return err
		}
	}
	if !doctor.Sound(findings) {
		return &cannotError{"this machine cannot run the lab", "the fixes are above, the first one first"}
	}
	return nil
}

// places are the headings between findings.
var places = map[doctor.Place]string{
	doctor.MicroVM: "in a microVM, where the lab is unless you say otherwise",
	doctor.Host:    "on this machine itself, for --in host",
}

// packages is what package vm knows of them, for one package manager.
type packages struct {
	vm.Packages
	manager doctor.System
}

func (p packages) Manager() doctor.System { return p.manager }

// knownPackages are those of this machine, or of another manager's.
func knownPackages(ctx context.Context, system string) (packages, error) {
	p := vm.Packages{System: system}
	manager, err := p.Manager(ctx)
	return packages{p, doctor.System(manager)}, err
}

// guests is what package vm knows of microVMs on this machine.
type guests struct{}

func (guests) Emulator() (string, error) { return vm.Emulator() }

func (guests) Kernel(ctx context.Context) (string, error) {
	k, err := vm.KernelHere(ctx)
	if err != nil {
		return "", err
	}
	if k == nil {
		return "none yet; Debian's cloud kernel is fetched when one is needed", nil
	}
	return "Linux " + k.Version + ", " + k.Image, nil
}

// KVM opens the device first: why that fails is for the doctor to read.
func (guests) KVM(ctx context.Context) (string, error) {
	device, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	device.Close()
	k, err := vm.KernelHere(ctx)
	if err != nil || k == nil {
		return "here; the first guest shows whether it works", nil
	}
	v, err := vm.TryKVM(ctx, k)
	var missing *vm.NoQEMUError
	switch {
	case errors.As(err, &missing):
		return "here; there is no emulator to try it with", nil
	case err != nil:
		return "", err
	case v.Why != "":
		return "", &doctor.NoGuestError{Why: v.Why}
	}
	return "guests come up under it", nil
}

// finding shows one finding, and what to do if something is wrong.
func (c *cli) finding(f doctor.Finding) error {
	if c.json() {
		return writeJSON(f)
	}
	return trace.WriteFinding(os.Stdout, c.text(os.Stdout), trace.Finding{Level: string(f.Level), Check: f.Check, Found: f.Found, Cause: f.Cause, Fix: f.Fix})
}
