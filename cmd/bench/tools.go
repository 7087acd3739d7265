package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"cutaway/vm/overhead"
)

// The programs by the names they have in the output; the promises are about
// the first three.
const (
	nameCutaway = "cutaway"
	nameUnshare = "unshare"
	nameRunc    = "runc"
)

// tool is one way to start a container.
type tool struct {
	name string
	args []string
	// runtime is set for those that are given an id and a bundle, and keep a
	// state of their own.
	runtime []string
}

// find lists what can be measured here, and why the others cannot. All of them
// start the same files; cutaway does so with its usual overlay, user namespace,
// seccomp filter and network namespace, runc and crun with the config that
// `runc spec` writes, which has no user namespace and no filter.
func find(dir, tree, cutaway string, complaints *os.File) (found []tool, absent []error, err error) {
	bundle, state := filepath.Join(dir, "bundle"), runtimeState(dir)
	if cutaway, err = filepath.Abs(cutaway); err != nil {
		return nil, nil, err
	}
	oci := func(name string, runtime ...string) tool {
		return tool{name: name, args: append(slices.Clone(runtime), "run", "-b", bundle, containerID), runtime: runtime}
	}
	all := []tool{
		{name: nameCutaway, args: []string{cutaway, "--state", filepath.Join(dir, "state"), "run", "--in", "host", "--net", "none", "built-in", "true"}},
		{name: "no container", args: []string{filepath.Join(tree, "bin/busybox"), "true"}},
		{name: nameUnshare, args: []string{"unshare", "-muinCpf", "--mount-proc", "--root", tree, "true"}},
		{name: "bubblewrap", args: []string{"bwrap", "--unshare-all", "--bind", tree, "/", "--proc", "/proc", "--dev", "/dev", "true"}},
		oci("crun, no cgroup", "crun", "--root", state, "--cgroup-manager=disabled"),
		oci("crun", "crun", "--root", state, "--cgroup-manager=cgroupfs"),
		oci(nameRunc, "runc", "--root", state),
	}
	if err := overhead.WriteBundle(bundle, tree, []string{"true"}); err != nil {
		return nil, nil, err
	}
	for _, t := range all {
		_, err := t.run(complaints)
		switch {
		case err == nil:
			found = append(found, t)
		case t.name == nameCutaway || t.name == nameUnshare || t.name == nameRunc:
			return nil, nil, err
		default:
			absent = append(absent, err)
		}
	}
	return found, absent, nil
}

// runtimeState is where runc and crun keep what they know of their containers.
func runtimeState(dir string) string { return filepath.Join(dir, "runtime") }

// containerID names the container that a runtime makes; each deletes it in the
// end, so the next one can have the name.
var containerID = fmt.Sprintf("cutaway-bench-%d", os.Getpid())

// run runs a tool once and gives the time from start to end. What it complains
// about goes to a file, because reading a pipe would take time too.
func (t tool) run(complaints *os.File) (time.Duration, error) {
	if err := complaints.Truncate(0); err != nil {
		return 0, err
	}
	cmd := exec.Command(t.args[0], t.args[1:]...)
	cmd.Stderr = complaints
	begin := time.Now()
	err := cmd.Run()
	took := time.Since(begin)
	if err != nil {
		text, _ := os.ReadFile(complaints.Name()) // without it the status must do
		return 0, fmt.Errorf("run %s: %w: %s", t.name, err, bytes.TrimSpace(text))
	}
	return took, nil
}

// cleanUp deletes the container of a runtime that was stopped in the middle.
func cleanUp(tools []tool, state string) error {
	if _, err := os.Stat(filepath.Join(state, containerID)); err != nil {
		return nil
	}
	for _, t := range tools {
		if t.runtime == nil {
			continue
		}
		// Whose it is, the others do not know, and say so.
		_ = exec.Command(t.runtime[0], append(slices.Clone(t.runtime[1:]), "delete", "--force", containerID)...).Run()
	}
	if _, err := os.Stat(filepath.Join(state, containerID)); err == nil {
		return fmt.Errorf("container %s of %s is still there", containerID, state)
	}
	return nil
}
