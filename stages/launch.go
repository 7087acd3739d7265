package stages

import (
	"context"
	"errors"

	"cutaway/sandbox/image"
	"cutaway/sandbox/plan"
	"cutaway/stages/buildup"
)

// Image gives an image of the store, pulling it first if it is not there.
// BuiltInRef is the embedded one.
func (r *Runner) Image(ctx context.Context, ref string, o image.PullOptions) (*image.Image, error) {
	if ref == image.BuiltInRef {
		return builtIn(ctx, r.Store)
	}
	img, err := r.Store.Get(ref)
	if errors.Is(err, image.ErrNotFound) {
		return r.Store.Pull(ctx, ref, o)
	}
	return img, err
}

// Container gives the Spec of a complete container of img. Until release is
// called nobody may remove the layers it is made of.
func (r *Runner) Container(ctx context.Context, img *image.Image, w buildup.Wish) (s plan.Spec, release func(), err error) {
	release = func() {}
	f := r.Lab.Features
	layers, err := r.Store.Unpack(ctx, img, w.Owner(f))
	if err != nil {
		return s, release, err
	}
	if s, err = buildup.OfImage(f, img.Config, layers, w); err != nil {
		return s, release, err
	}
	held, err := r.Store.Hold(layers)
	if err != nil {
		return s, release, err
	}
	return s, held, nil
}
