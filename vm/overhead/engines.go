package overhead

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// engineWait is how long an engine may take to answer that it is there.
const engineWait = 10 * time.Second

// engine is podman or docker: a command that has an image, and somebody else who
// keeps the container. The image and the containers are called cutaway-compare-*
// and are removed by that name.
func (b *bench) engine(name string) func(context.Context) (Contender, error) {
	return func(ctx context.Context) (Contender, error) {
		path, err := installed(name)
		if err != nil {
			return Contender{}, err
		}
		asked, cancel := context.WithTimeout(ctx, engineWait)
		defer cancel()
		if out, err := exec.CommandContext(asked, path, "info").CombinedOutput(); err != nil {
			return Contender{}, fmt.Errorf("installed, but it does not work here: %s", lastLine(string(out)))
		}
		e := &engineContender{path: path, image: "cutaway-" + filepath.Base(b.place.Dir)}
		if err := e.build(ctx, b); err != nil {
			return Contender{}, err
		}
		e.pool = pool{prefix: e.image + "-" + name, fresh: func(id string) error { return b.place.Undo(path, "rm", "--force", id) }}
		version := firstLine(ctx, path, "--version")
		return Contender{About: name + " run --network none; overlay, control groups, filter", Kind: Container,
			start: e.start, open: anew(e.start), version: version}, nil
	}
}

// engineContender starts containers by an engine's command.
type engineContender struct {
	path, image string
	pool        pool
}

// build gives the engine the root filesystem as an image.
func (e *engineContender) build(ctx context.Context, b *bench) error {
	if err := b.place.Undo(e.path, "rmi", "--force", e.image); err != nil {
		return err
	}
	pack := exec.CommandContext(ctx, "tar", "-C", b.tree, "-c", ".")
	take := exec.CommandContext(ctx, e.path, "import", "-", e.image)
	var err error
	if take.Stdin, err = pack.StdoutPipe(); err != nil {
		return err
	}
	if err := pack.Start(); err != nil {
		return fmt.Errorf("start tar: %w", err)
	}
	out, err := take.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s import: %w: %s", e.path, err, lastLine(string(out)))
	}
	if packErr := pack.Wait(); err == nil && packErr != nil {
		err = fmt.Errorf("tar: %w", packErr)
	}
	return err
}

func (e *engineContender) start(ctx context.Context, args ...string) (*instance, error) {
	id, release, err := e.pool.take()
	if err != nil {
		return nil, err
	}
	line := append([]string{"run", "--rm", "-i", "--network", "none", "--name", id, e.image}, args...)
	i, err := spawn(ctx, exec.Command(e.path, line...), false)
	if err != nil {
		release()
		return nil, err
	}
	wait, ours := i.wait, i.pids
	i.wait = func() error { defer release(); return wait() }
	i.pids = func() []int { return append(ours(), e.keeper(ctx, id)...) }
	return i, nil
}

// keeper is who keeps a container for the engine, conmon or containerd's shim,
// and what it keeps.
func (e *engineContender) keeper(ctx context.Context, id string) []int {
	pid, err := strconv.Atoi(firstLine(ctx, e.path, "inspect", "--format", "{{.State.Pid}}", id))
	if err != nil || pid <= 0 {
		return nil
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return nil
	}
	_, after, _ := strings.Cut(string(stat), ") ") // the name before may have anything in it: proc_pid_stat(5)
	fields := strings.Fields(after)
	if len(fields) < 2 {
		return nil
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil || parent <= 1 {
		return family(pid)
	}
	// One shim may keep several containers; only what belongs to this one counts.
	return slices.Compact(append([]int{parent}, family(pid)...))
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
