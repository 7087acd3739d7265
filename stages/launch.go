package stages

import (
	"context"
	"errors"

	"cutaway/sandbox/image"
	"cutaway/sandbox/plan"
	"cutaway/sandbox/profile"
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
func (r *Runner) Container(ctx context.Context, img *image.Image, w Wish) (s plan.Spec, release func(), err error) {
	release = func() {}
	f := r.Lab.Features
	m := Materials{Features: f, Config: img.Config}
	m.UIDMappings, m.GIDMappings = mappings(f)
	m.Layers, err = r.Store.Unpack(ctx, img, owner(f, !w.HostUsers && user.Lacks(f) == nil))
	if err != nil {
		return s, release, err
	}
	filter, err := profile.Default(Capabilities, f.Kernel)
	if err != nil {
		return s, release, err
	}
	m.Seccomp = &filter
	if s, err = Complete(m, w); err != nil {
		return s, release, err
	}
	held, err := r.Store.Hold(m.Layers)
	if err != nil {
		return s, release, err
	}
	return s, held, nil
}
