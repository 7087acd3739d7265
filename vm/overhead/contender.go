package overhead

import (
	"context"
	"errors"
	"path/filepath"
	"slices"

	"cutaway/sandbox"
	"cutaway/sandbox/image"
)

// Kind groups contenders by what they share with the host.
type Kind string

// The kinds: nothing apart, one wall, all walls but the same kernel, a kernel of
// its own.
const (
	Process   Kind = "process"
	Wall      Kind = "wall"
	Container Kind = "container"
	Machine   Kind = "machine"
)

// Contender is a way to start a program. All of them start the same files.
type Contender struct {
	Name, About string
	Kind        Kind
	// start starts a program, by its path in the root filesystem.
	start func(ctx context.Context, args ...string) (*instance, error)
	// open gives a way to run one program after another; a container is made anew
	// for each, a machine is booted once.
	open func(ctx context.Context) (*room, error)
	// memory is what a machine is given, in MiB.
	memory int
	// slow says that a run takes the better part of a minute.
	slow bool
	// version is what the tool says of itself.
	version string
}

// room is an open contender.
type room struct {
	run   func(ctx context.Context, args ...string) (string, error)
	close func()
}

// anew opens a contender that starts each program from nothing.
func anew(start func(context.Context, ...string) (*instance, error)) func(context.Context) (*room, error) {
	return func(context.Context) (*room, error) {
		return &room{close: func() {}, run: func(ctx context.Context, args ...string) (string, error) {
			i, err := start(ctx, args...)
			if err != nil {
				return "", err
			}
			return i.output()
		}}, nil
	}
}

// Absent is something that was not measured, and why.
type Absent struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

// bench is what contenders are made of, for one run.
type bench struct {
	lab     *sandbox.Lab
	place   sandbox.Place
	tree    string // the built-in image as a directory
	program string // cutaway itself
	options Options
	rooms   map[string]*room // those that are open, by contender
}

// room opens a contender, once for all experiments.
func (b *bench) room(ctx context.Context, c Contender) (*room, error) {
	if r := b.rooms[c.Name]; r != nil {
		return r, nil
	}
	r, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	b.rooms[c.Name] = r
	return r, nil
}

// end closes what is open and removes the files.
func (b *bench) end() error {
	for _, r := range b.rooms {
		r.close()
	}
	return b.place.Remove()
}

// root reports whether the run may do what only root may.
func (b *bench) root() bool { return b.lab.Features.Root() }

// newBench unpacks the root filesystem that all contenders start from.
func newBench(ctx context.Context, l *sandbox.Lab, o Options) (*bench, error) {
	p, err := l.ComparePlace()
	if err != nil {
		return nil, err
	}
	b := &bench{lab: l, place: p, program: o.Program, options: o, rooms: map[string]*room{}, tree: filepath.Join(p.Dir, "tree")}
	if err := b.unpack(ctx, b.tree); err != nil {
		return nil, errors.Join(err, p.Remove())
	}
	return b, nil
}

// unpack writes the files of the built-in image to a directory.
func (b *bench) unpack(ctx context.Context, to string) error {
	store, err := image.Open(filepath.Join(b.place.Dir, "images"))
	if err != nil {
		return err
	}
	img, err := store.Pull(ctx, image.BuiltInRef, image.PullOptions{})
	if err != nil {
		return err
	}
	return store.Flatten(ctx, img, image.Owner{Squash: !b.root()}, to)
}

// candidates are all contenders that there could be.
func (b *bench) candidates() []candidate {
	return slices.Concat([]candidate{{"process", b.bareProcess}, {"chroot", b.chroot}}, b.walls(),
		[]candidate{{"cutaway", b.cutaway("none")}, {"cutaway+net", b.cutaway("bridge")}, {"bubblewrap", b.bubblewrap},
			{"crun", b.runtime("crun", "--cgroup-manager=cgroupfs")}, {"runc", b.runtime("runc")},
			{"podman", b.engine("podman")}, {"docker", b.engine("docker")},
			{"microVM", b.microVM}, {"full VM", b.fullVM}})
}

// contenders finds what can be started here, of those named, or all; each is tried
// once, with a program that ends at once.
func (b *bench) contenders(ctx context.Context, names ...string) (found []Contender, missing []Absent) {
	for _, one := range b.candidates() {
		if ctx.Err() != nil {
			break
		}
		if len(names) > 0 && !slices.Contains(names, one.name) {
			continue
		}
		c, err := one.find(ctx)
		if err == nil && c.Kind != Machine { // which is tried by whoever needs it
			err = tried(ctx, c)
		}
		if err != nil {
			missing = append(missing, Absent{one.name, oneLine(err)})
			continue
		}
		c.Name = one.name
		found = append(found, c)
	}
	return found, missing
}

// candidate is a contender that may not be there.
type candidate struct {
	name string
	find func(context.Context) (Contender, error)
}

// tried starts a contender once.
func tried(ctx context.Context, c Contender) error {
	i, err := c.start(ctx, hello...)
	if err != nil {
		return err
	}
	_, err = i.output()
	return err
}

// hello is the program that is started to see how long that takes: it writes a
// line and ends. idle writes a line too and then waits until its input ends, so
// that it ends when we do, however that comes about.
var (
	hello = []string{"/bin/echo", "here"}
	idle  = []string{"/bin/sh", "-c", "echo here; read end; :"}
)

// probe is the program for everything that is measured inside.
const probe = "/usr/bin/probe"
