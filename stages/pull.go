package stages

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"cutaway/sandbox"
	"cutaway/sandbox/image"
	"cutaway/sandbox/inspect"
	"cutaway/sandbox/sys"
)

// Pulled is an image that was fetched for one run of a stage, and where from.
type Pulled struct {
	Registry *image.Registry
	Image    *image.Image
	// Store is one of its own: in the lab's the image would be there already, and
	// nothing would have to be fetched.
	Store *image.Store

	sandbox.Place
}

// pullImage is the prelude of a stage whose image comes from a registry: it is
// fetched over HTTP, each time, and its layers become directories.
func pullImage(ctx context.Context, p *Prelude, m Materials) (Materials, func() error, error) {
	f, err := newPulled(p.runner.Lab)
	if err != nil {
		return m, f.close, err
	}
	p.own, m.Pulled = 2, f
	err = p.step(ctx, prelude{
		op: "pull", why: "an image is a few documents that name one another by digest: from the tag to the index, the manifest, the config and the layers",
		shell: "skopeo copy --src-tls-verify=false docker://" + f.Registry.Ref() + " oci:image",
		calls: []sys.Call{{Name: "GET", Args: []string{"/v2/"}}},
		watch: filepath.Join(f.Store.Dir(), "layout"), kind: inspect.Blob,
		work:     func() ([]sys.Call, error) { return f.pull(ctx) },
		describe: f.describe,
	})
	if err != nil {
		return m, f.close, err
	}
	err = p.step(ctx, prelude{
		op: "unpack", why: "overlayfs wants directories: each layer becomes one, what it deletes a whiteout, and a short name keeps the mount readable",
		shell: "tar -xzf BLOB -C DIRECTORY; mknod DIRECTORY/NAME c 0 0",
		watch: filepath.Join(f.Store.Dir(), "layers"), kind: inspect.Dir,
		work: func() (calls []sys.Call, err error) {
			m.Layers, calls, err = f.unpack(ctx, m.Owner)
			return calls, err
		},
	})
	return m, f.close, err
}

// newPulled starts the registry and makes an empty store.
func newPulled(l *sandbox.Lab) (f *Pulled, err error) {
	f = &Pulled{}
	if f.Place, err = l.NewPlace("pull-"); err != nil {
		return f, err
	}
	if f.Store, err = image.Open(filepath.Join(f.Dir, "store")); err != nil {
		return f, err
	}
	f.Registry, err = image.ServeBuiltIn()
	return f, err
}

// close ends the registry and removes what was fetched.
func (f *Pulled) close() error {
	var err error
	if f.Registry != nil {
		err = f.Registry.Close()
	}
	return errors.Join(err, f.Remove())
}

// pull fetches the image and gives the HTTP exchanges in the form of calls, the
// status for the value they returned.
func (f *Pulled) pull(ctx context.Context) ([]sys.Call, error) {
	var mu sync.Mutex // layers are fetched side by side
	var calls []sys.Call
	img, err := f.Store.Pull(ctx, f.Registry.Ref(), image.PullOptions{Request: func(r image.Request) {
		mu.Lock()
		defer mu.Unlock()
		calls = append(calls, exchange(r))
	}})
	f.Image = img
	return calls, err
}

// exchange writes an HTTP exchange as a call.
func exchange(r image.Request) sys.Call {
	args := []string{r.URL}
	if strings.HasPrefix(r.MediaType, "application/vnd.") { // of a blob the registry only guesses it
		args = append(args, r.MediaType)
	}
	args = append(args, fmt.Sprintf("%d bytes", r.Bytes), fmt.Sprintf("%.1f ms", float64(r.Took.Microseconds())/1000))
	if r.Err != "" {
		return sys.Call{Name: r.Method, Args: args, Ret: -1, Errno: r.Err}
	}
	return sys.Call{Name: r.Method, Args: args, Ret: int64(r.Status)}
}

// describe puts blobs into the order in which they refer to one another, and
// adds what only the documents that refer to them know.
func (f *Pulled) describe(found []inspect.Object) []inspect.Object {
	var ordered []inspect.Object
	for _, b := range f.Image.Blobs() {
		for _, o := range found {
			if o.ID != b.Digest {
				continue
			}
			o.Detail = inspect.Detail{{Key: "role", Value: b.Role}, {Key: "size", Value: o.Detail.Get("size") + " bytes"},
				{Key: "media type", Value: b.MediaType}}
			ordered = append(ordered, o)
		}
	}
	return ordered
}

// unpack makes a directory of each layer, topmost first, and gives it a short
// name: the real ones, digests of 64 digits, would fill the options of a mount.
func (f *Pulled) unpack(ctx context.Context, o image.Owner) (lowers []string, calls []sys.Call, err error) {
	long, err := f.Store.Unpack(ctx, f.Image, o)
	if err != nil {
		return nil, nil, err
	}
	for n, dir := range long {
		name := filepath.Join(f.Dir, strconv.Itoa(len(f.Image.Layers)-n))
		target, err := filepath.Rel(f.Dir, dir)
		if err == nil {
			err = os.Symlink(target, name)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("name layer %s: %w", dir, err)
		}
		lowers = append(lowers, name)
		calls = append(calls, sys.Call{Name: "symlinkat", Args: []string{strconv.Quote(target), "AT_FDCWD", strconv.Quote(name)}})
	}
	return lowers, calls, nil
}
