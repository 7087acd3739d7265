package stages

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"cutaway/sandbox"
	"cutaway/sandbox/features"
	"cutaway/sandbox/image"
	"cutaway/sandbox/op"
)

// runc is a container that runc made, of the same Spec as one of the lab's. Its
// payload is a shell that reads from us: when we end, however, so does it, and
// runc then removes what it made.
type runc struct {
	pid int

	sandbox.Place // the bundle, and runc's state
	path, id      string
	cmd           *exec.Cmd
	stdin         io.WriteCloser
	stdout        io.Reader
	stderr        strings.Builder
}

// runcPatience is how long runc may take to do anything.
const runcPatience = 10 * time.Second

// findRunc looks where an ordinary user's PATH does not, too.
func findRunc() (string, error) {
	path, err := exec.LookPath("runc")
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/sbin"} {
		if err != nil {
			path, err = exec.LookPath(filepath.Join(dir, "runc"))
		}
	}
	return path, err
}

// startRunc has the runc at path make the container; end it by close, also after
// an error.
func startRunc(ctx context.Context, l *Look, path string) (*runc, error) {
	c := &runc{path: path, id: "cutaway-runc-" + l.Container.Spec.ID}
	err := c.controllers(l)
	if err != nil {
		return c, err
	}
	if err := c.bundle(ctx, l); err != nil {
		return c, err
	}
	c.cmd = exec.CommandContext(ctx, path, "--root", filepath.Join(c.Dir, "state"), "run",
		"--bundle", c.Dir, "--pid-file", filepath.Join(c.Dir, "pid"), c.id)
	c.cmd.Cancel, c.cmd.WaitDelay = func() error { return c.cmd.Process.Signal(os.Interrupt) }, runcPatience
	c.cmd.Stderr, c.cmd.Env = &c.stderr, append(os.Environ(), l.Container.Mark())
	if c.stdin, err = c.cmd.StdinPipe(); err == nil {
		c.stdout, err = c.cmd.StdoutPipe()
	}
	if err == nil {
		err = c.cmd.Start()
	}
	if err != nil {
		c.cmd = nil
		return c, fmt.Errorf("start %s: %w", path, err)
	}
	return c, c.ready()
}

// controllers has the root of cgroup v2 pass on every controller, as runc does
// and leaves: the container takes that back in the end.
func (c *runc) controllers(l *Look) error {
	groups := l.Lab.Features.Cgroup
	if groups.Mode != features.Unified {
		return nil
	}
	on, err := os.ReadFile(filepath.Join(groups.Root, "cgroup.subtree_control"))
	if err != nil {
		return err
	}
	for _, name := range groups.V2 {
		if !slices.Contains(strings.Fields(string(on)), name) {
			// Those that cannot be passed on here runc does without.
			_ = l.Container.Extend(op.CgroupEnable{Dir: groups.Root, Controllers: []string{name}, Unless: filepath.Join(groups.Root, c.id), Own: true})
		}
	}
	return nil
}

// bundle makes what runc starts from: a directory with config.json and a root
// filesystem.
func (c *runc) bundle(ctx context.Context, l *Look) (err error) {
	if c.Place, err = l.Lab.NewPlace("runc-"); err != nil {
		return err
	}
	img, err := l.runner.Store.Get(image.BuiltInRef)
	if err != nil {
		return err
	}
	if err := l.runner.Store.Flatten(ctx, img, l.Materials.Owner, filepath.Join(c.Dir, "rootfs")); err != nil {
		return err
	}
	config, err := json.MarshalIndent(ociConfig(l.Container.Spec, "rootfs", "/"+c.id, l.Lab.Features.Cgroup.Mode == features.Unified), "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(c.Dir, "config.json"), config, 0o644)
	}
	if err != nil {
		return fmt.Errorf("write config.json: %w", err)
	}
	return nil
}

// ready waits until the shell answers: then the container is complete.
func (c *runc) ready() error {
	timer := time.AfterFunc(runcPatience, func() { c.cmd.Process.Kill() })
	defer timer.Stop()
	mark := nonce()
	_, err := fmt.Fprintln(c.stdin, "echo "+mark)
	line := ""
	if err == nil {
		line, err = bufio.NewReader(c.stdout).ReadString('\n')
	}
	if err != nil || strings.TrimSpace(line) != mark {
		c.stdin.Close()
		c.cmd.Wait() // what it said is the error
		c.cmd = nil
		return fmt.Errorf("run %s: %s", c.path, strings.TrimSpace(c.stderr.String()))
	}
	return c.readPID()
}

// readPID waits for the file with the pid: runc writes it when the container
// runs already.
func (c *runc) readPID() error {
	for deadline := time.Now().Add(runcPatience); ; time.Sleep(time.Millisecond) {
		text, err := os.ReadFile(filepath.Join(c.Dir, "pid"))
		if err == nil {
			c.pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
		}
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

// close ends the container; if runc does not remove what it made, it is told to.
func (c *runc) close() error {
	var failed []error
	if c.cmd != nil {
		c.stdin.Close()
		timer := time.AfterFunc(runcPatience, func() { c.cmd.Process.Kill() })
		if err := c.cmd.Wait(); err != nil {
			failed = append(failed, fmt.Errorf("end %s: %w: %s", c.path, err, strings.TrimSpace(c.stderr.String())))
		}
		timer.Stop()
	}
	if c.Dir != "" {
		if _, err := os.Stat(filepath.Join(c.Dir, "state", c.id)); err == nil {
			failed = append(failed, c.delete())
		}
	}
	failed = append(failed, c.Remove())
	return errors.Join(failed...)
}

// delete has runc remove a container that did not end as it should.
func (c *runc) delete() error {
	ctx, cancel := context.WithTimeout(context.Background(), runcPatience)
	defer cancel()
	out, err := exec.CommandContext(ctx, c.path, "--root", filepath.Join(c.Dir, "state"), "delete", "--force", c.id).CombinedOutput()
	if err != nil {
		return fmt.Errorf("delete runc's container %s: %w: %s", c.id, err, strings.TrimSpace(string(out)))
	}
	return nil
}
