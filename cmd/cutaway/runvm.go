package main

import (
	"fmt"
	"os"
	"strings"

	"cutaway/sandbox/image"
	"cutaway/vm"

	"github.com/spf13/cobra"
)

// runInVM makes the container in the microVM, as root there.
func (c *cli) runInVM(cmd *cobra.Command, f *runFlags, ref string, args []string) error {
	if err := f.Sane(); err != nil {
		return err
	}
	if err := f.onlyThere(); err != nil {
		return err
	}
	if _, link := machineUp(); link != nil {
		link.Close()
	} else if f.Detach {
		return &cannotError{"run -d in a microVM: it ends with its command", "cutaway vm up starts one that stays, and this runs there then"}
	}
	e := errand{share: f.share, reads: f.Interactive || f.Pause}
	if ref != image.BuiltInRef { // it has no network: what is pulled here is taken along
		images, err := c.openStore()
		if err != nil {
			return err
		}
		img, err := getOrPull(cmd.Context(), images, ref, image.PullOptions{Insecure: f.Insecure})
		if err != nil {
			return err
		}
		ref, e.take, e.memory = img.Ref, takeImage(images, img), memoryFor(img)
	}
	e.after = append([]string{ref}, args...)
	for _, name := range f.Env { // those without a value are passed on
		if value, set := os.LookupEnv(name); set && !strings.Contains(name, "=") {
			e.env = append(e.env, name+"="+value)
		}
	}
	return c.inVM(cmd, e)
}

// onlyThere refuses what is of this machine: the microVM does not have its files,
// and nobody here reaches a port there.
func (f *runFlags) onlyThere() error {
	const advice = "--in host builds the container on this machine: the lab restores what it changes; without root: --net none -u 0"
	if len(f.Ports) > 0 {
		return &cannotError{"run with -p " + f.Ports[0] + " in the microVM: it has no network, so nobody here reaches its ports", advice}
	}
	files := append([]string{}, f.EnvFiles...)
	for _, v := range f.Volumes {
		source, _, _ := strings.Cut(v, ":")
		files = append(files, source)
	}
	for _, o := range f.Security {
		if profile, ok := strings.CutPrefix(strings.Replace(o, ":", "=", 1), "seccomp="); ok && profile != "unconfined" {
			files = append(files, profile)
		}
	}
	for _, file := range files {
		if file != vm.ShareDir && !strings.HasPrefix(file, vm.ShareDir+"/") {
			return &cannotError{fmt.Sprintf("run with %s in the microVM: it does not have the files of this machine", file),
				"--share DIR copies a folder to " + vm.ShareDir + " there, and what changed back"}
		}
	}
	return nil
}
