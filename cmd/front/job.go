package main

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"

	"cutaway/cmd/run"
	"cutaway/sandbox"
	"cutaway/sandbox/image/store"
	"cutaway/sandbox/plan"
	"cutaway/stages/buildup"

	"github.com/spf13/pflag"
)

// job is one container of an image that is here.
type job struct {
	flags run.Flags
	state string // --state
	ref   string
	args  []string

	lab     *sandbox.Lab
	images  *store.Store
	wish    buildup.Wish
	release func() // lets the layers be removed
}

// errNotHere says that a command line is for the other program after all, also if
// only to say what is wrong with it. Nothing is left of what has been done then.
var errNotHere = errors.New("not for the program in front")

// parse reads a command line; nil is one for the other program.
func parse(args []string) *job {
	var (
		j  job
		in string
	)
	every := flagSet()
	every.SetInterspersed(false)
	run.State(every, &j.state)
	if every.Parse(args) != nil || every.Arg(0) != "run" {
		return nil
	}
	fs := flagSet()
	fs.AddFlagSet(every)
	j.flags.Define(fs)
	run.Place(fs, &in)
	if fs.Parse(every.Args()[1:]) != nil || fs.NArg() == 0 || j.flags.Plan || j.flags.Pause {
		return nil
	}
	// An ordinary user's containers harm nobody, so they need not say where.
	if !run.Here(in) && (in != "auto" || os.Geteuid() == 0) {
		return nil
	}
	j.ref, j.args = fs.Arg(0), fs.Args()[1:]
	return &j
}

// flagSet is one whose errors the other program tells.
func flagSet() *pflag.FlagSet {
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	fs.SetOutput(io.Discard)
	return fs
}

// do makes the container and waits for its payload to end.
func (j *job) do() error {
	ctx, patience := run.UntilSignal(context.Background())
	err := j.run(ctx, patience)
	if told := context.Cause(ctx); told != nil && errors.Is(err, errNotHere) {
		return told
	}
	return run.Interrupted(ctx, err)
}

func (j *job) run(ctx context.Context, patience *run.Patience) error {
	early, err := j.open()
	var busy *sandbox.BusyError
	if errors.As(err, &busy) { // the other program would wait as long once more
		return err
	}
	if err != nil {
		return errNotHere
	}
	if j.flags.Detach && !sandbox.Detached() {
		if _, _, err := j.layers(); err != nil { // the other process has nobody to pull for
			return errNotHere
		}
		return run.InBackground(ctx)
	}
	runtime.LockOSThread()
	o := sandbox.Options{Image: j.ref, Rest: j.rest, Locked: true}
	status, err := j.flags.Payload(ctx, j.lab, early, o, patience, nil)
	if j.release != nil {
		j.release()
	}
	return run.Ended(status, err)
}

// open looks at the machine, and gives as much of the container as follows without
// its image.
func (j *job) open() (early plan.Spec, err error) {
	if j.lab, err = sandbox.New(j.state); err != nil {
		return early, err
	}
	if j.wish, err = j.flags.Wish(j.lab, j.args); err != nil {
		return early, err
	}
	return buildup.Early(j.lab.Features, j.wish)
}

// rest is what the image adds to the container. If it cannot, the other program
// fetches the image, or says what is wrong with it; a container that was begun has
// been removed by then.
func (j *job) rest() (plan.Spec, error) {
	spec, err := j.whole()
	if err != nil && !sandbox.Detached() { // that one's files are no longer all there
		err = errors.Join(errNotHere, err)
	}
	return spec, err
}

func (j *job) whole() (spec plan.Spec, err error) {
	img, layers, err := j.layers()
	if err != nil {
		return spec, err
	}
	if spec, err = buildup.OfImage(j.lab.Features, img.Config, layers, j.wish); err != nil {
		return spec, err
	}
	j.release, err = j.images.Hold(layers)
	return spec, err
}

// layers finds the image and the directories of its layers.
func (j *job) layers() (img *store.Image, dirs []string, err error) {
	if j.images, err = store.Open(j.lab.Dirs.Images()); err != nil {
		return nil, nil, err
	}
	if img, err = j.images.Get(j.ref); err != nil {
		return nil, nil, err
	}
	if store.Outdated(img) {
		return nil, nil, errNotHere
	}
	dirs, err = j.images.Layers(img, j.wish.Owner(j.lab.Features))
	return img, dirs, err
}
