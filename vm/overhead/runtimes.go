package overhead

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// bubblewrap is bwrap(1) with every namespace it knows, over the files themselves.
func (b *bench) bubblewrap(ctx context.Context) (Contender, error) {
	path, err := installed("bwrap")
	if err != nil {
		return Contender{}, err
	}
	c := b.command(Container, "bwrap --unshare-all; no control group, no filter", true, func(args []string) *exec.Cmd {
		cmd := exec.Command(path, append([]string{"--die-with-parent", "--unshare-all", "--bind", b.tree, "/",
			"--proc", "/proc", "--dev", "/dev"}, args...)...)
		// Killed before its child has the signal of a parent's death, it leaves one
		// behind that waits for it forever.
		cmd.Env = append(slices.Clip(bare), b.place.Mark())
		return cmd
	})
	c.version = firstLine(ctx, path, "--version")
	return c, nil
}

// runtime is an OCI runtime by its name, with the config that `runc spec` writes:
// no user namespace, no filter.
func (b *bench) runtime(name string, flags ...string) func(context.Context) (Contender, error) {
	return func(ctx context.Context) (Contender, error) {
		path, err := installed(name)
		if err != nil {
			return Contender{}, err
		}
		if !b.root() {
			return Contender{}, errors.New("its bundle here is one for root")
		}
		state := filepath.Join(b.place.Dir, name)
		flags := append([]string{"--root", state}, flags...)
		p := pool{prefix: "cutaway-" + filepath.Base(b.place.Dir) + "-" + name,
			fresh: func(id string) error {
				return b.place.Undo(append(append([]string{path}, flags...), "delete", "--force", id)...)
			}}
		start := func(ctx context.Context, args ...string) (*instance, error) {
			bundle, err := b.bundle(args)
			if err != nil {
				return nil, err
			}
			id, release, err := p.take()
			if err != nil {
				return nil, err
			}
			i, err := spawn(ctx, exec.Command(path, append(append([]string{}, flags...), "run", "-b", bundle, id)...), false)
			if err != nil {
				release()
				return nil, err
			}
			wait := i.wait
			i.wait = func() error { defer release(); return wait() }
			return i, nil
		}
		return Contender{About: strings.Join(append([]string{name}, flags[2:]...), " ") + " with `runc spec`'s own config", Kind: Container,
			start: start, open: anew(start), version: firstLine(ctx, path, "--version")}, nil
	}
}

// bundle gives the bundle of a command line; it is made once.
func (b *bench) bundle(args []string) (string, error) {
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune("/ ;", r) {
			return '-'
		}
		return r
	}, strings.Join(args, " "))
	dir := filepath.Join(b.place.Dir, "bundle"+name)
	if _, err := os.Stat(filepath.Join(dir, "config.json")); err == nil {
		return dir, nil
	}
	return dir, WriteBundle(dir, b.tree, args)
}

// WriteBundle writes what an OCI runtime is given: the config that `runc spec`
// makes, with this root filesystem and this program.
func WriteBundle(dir, tree string, args []string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	spec := exec.Command("runc", "spec")
	spec.Dir = dir
	if out, err := spec.CombinedOutput(); err != nil {
		spec = exec.Command("crun", "spec")
		spec.Dir = dir
		if crun, crunErr := spec.CombinedOutput(); crunErr != nil {
			return fmt.Errorf("runc spec: %w: %s; crun spec: %w: %s", err, out, crunErr, crun)
		}
	}
	file := filepath.Join(dir, "config.json")
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var config map[string]any
	if err := json.Unmarshal(text, &config); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	process, isObject := config["process"].(map[string]any)
	if !isObject {
		return errors.New("runc spec wrote a config without a process")
	}
	process["terminal"], process["args"] = false, args
	config["root"] = map[string]any{"path": tree}
	if text, err = json.Marshal(config); err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o644)
}

// pool gives ids to containers, each to one at a time.
type pool struct {
	prefix string
	fresh  func(id string) error // called before an id is used for the first time
	mu     sync.Mutex
	free   []string
	made   int
}

func (p *pool) take() (id string, release func(), err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.free); n > 0 {
		id, p.free = p.free[n-1], p.free[:n-1]
	} else {
		p.made++
		id = fmt.Sprintf("%s-%d", p.prefix, p.made)
		if err := p.fresh(id); err != nil {
			return "", nil, err
		}
	}
	return id, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.free = append(p.free, id)
	}, nil
}

// installed finds a program, also where an ordinary user's PATH does not lead.
func installed(name string) (string, error) {
	for _, dir := range []string{"", "/usr/sbin", "/usr/local/sbin", "/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", errors.New("not installed")
}

// firstLine is what a program says first; nothing if it fails.
func firstLine(ctx context.Context, path string, args ...string) string {
	out, err := exec.CommandContext(ctx, path, args...).Output()
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(line)
}
