package main

import (
	"context"
	"errors"
	"sync"

	"cutaway/cmd/run"
	"cutaway/sandbox"
	"cutaway/sandbox/image/store"
	"cutaway/sandbox/plan"
	"cutaway/stages/buildup"
)

// job is one container of an image that is here.
type job struct {
	lab    *sandbox.Lab
	images *store.Store
	ref    string
	wish   buildup.Wish

	release func() // lets the layers be removed
}

// run makes the container and waits for its payload to end.
func (j *job) run(f *run.Flags, early plan.Spec) error {
	ctx, patience, _ := run.UntilSignal(context.Background())
	o := sandbox.Options{Image: j.ref, Rest: sync.OnceValues(j.rest)}
	status, err := f.Payload(ctx, j.lab, early, o, patience, nil)
	if j.release != nil {
		j.release()
	}
	if told := context.Cause(ctx); told != nil && errors.Is(err, errNotQuick) {
		return told
	}
	return run.Interrupted(ctx, run.Ended(status, err))
}

// rest is what the image adds to the container. If it cannot, the other program
// fetches the image, or says what is wrong with it; a container that was begun has
// been removed by then.
func (j *job) rest() (plan.Spec, error) {
	spec, err := j.whole()
	if err != nil && !sandbox.Detached() { // that one's files are no longer all there
		err = errors.Join(errNotQuick, err)
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
func (j *job) layers() (*store.Image, []string, error) {
	img, err := j.images.Get(j.ref)
	if err != nil {
		return nil, nil, err
	}
	if store.Outdated(img) {
		return nil, nil, errNotQuick
	}
	layers, err := j.images.Layers(img, j.wish.Owner(j.lab.Features))
	return img, layers, err
}
