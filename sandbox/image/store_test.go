package image

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cutaway/sandbox/image/store"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/stretchr/testify/require"
)

// openStore opens a store in a directory of the test.
func openStore(t *testing.T) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "store"))
	require.NoError(t, err)
	return s
}

// limited is a context for anything that talks or waits.
func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// inventory lists every file below dir with its size, the contents of the
// layout's index included: two equal inventories are two equal stores.
func inventory(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		require.NoError(t, err)
		text := strings.TrimPrefix(path, dir) + " " + e.Type().String()
		if e.Name() == "index.json" {
			raw, err := os.ReadFile(path)
			require.NoError(t, err)
			text += string(raw)
		}
		found = append(found, text)
		return nil
	})
	require.NoError(t, err)
	return found
}

func TestPullOfTheBuiltInImage(t *testing.T) {
	r := serve(t)
	s := openStore(t)
	var mu sync.Mutex
	var requests []Request
	progress := map[string]Progress{}
	img, err := s.Pull(limited(t), r.Ref(), PullOptions{
		Request:  func(r Request) { mu.Lock(); requests = append(requests, r); mu.Unlock() },
		Progress: func(p Progress) { mu.Lock(); progress[p.Digest] = p; mu.Unlock() },
	})
	require.NoError(t, err)
	require.Equal(t, r.Ref(), img.Ref)
	require.Equal(t, "linux/"+runtime.GOARCH, img.Platform)
	require.Len(t, img.Layers, 3)
	require.NotEmpty(t, img.Config.Cmd)

	// Every blob is in the store, in the role it has, and was seen to arrive.
	var roles []string
	for _, b := range img.Blobs() {
		roles = append(roles, b.Role)
		info, err := os.Stat(b.Path)
		require.NoError(t, err)
		require.Equal(t, info.Size(), b.Size)
	}
	require.Equal(t, []string{"index", "manifest", "config", "layer", "layer", "layer"}, roles)
	for _, l := range img.Layers {
		require.Equal(t, Progress{Digest: l.Digest, Done: l.Size, Total: l.Size}, progress[l.Digest])
	}

	require.Equal(t, "the server speaks no TLS", requests[0].Err, "HTTPS is tried first, on loopback too")
	// The last six requests are those six, each answered in full.
	require.GreaterOrEqual(t, len(requests), 6)
	var asked []string
	for _, q := range requests[len(requests)-6:] {
		require.Equal(t, 200, q.Status)
		require.NotZero(t, q.Bytes)
		require.Empty(t, q.Err)
		asked = append(asked, q.URL[strings.LastIndexAny(q.URL, "/:")+1:])
	}
	for _, b := range img.Blobs()[1:] {
		require.Contains(t, asked, strings.TrimPrefix(b.Digest, "sha256:"))
	}

	// A second pull asks for the manifests only.
	requests = nil
	before := inventory(t, s.Dir())
	_, err = s.Pull(limited(t), r.Ref(), PullOptions{
		Request: func(r Request) { mu.Lock(); requests = append(requests, r); mu.Unlock() },
	})
	require.NoError(t, err)
	for _, q := range requests {
		require.NotContains(t, q.URL, "/blobs/")
	}
	require.Equal(t, before, inventory(t, s.Dir()))
}

func TestTamperedLayerIsRefused(t *testing.T) {
	r := serve(t)
	s := openStore(t)
	img, err := s.Pull(limited(t), r.Ref(), PullOptions{})
	require.NoError(t, err)
	require.NoError(t, s.Remove(r.Ref()))
	before := inventory(t, s.Dir())
	r.Tamper(img.Layers[1].Digest)
	_, err = s.Pull(limited(t), r.Ref(), PullOptions{})
	var digest *DigestError
	require.ErrorAs(t, err, &digest)
	require.Equal(t, "layer", digest.What)
	require.Equal(t, img.Layers[1].Digest, digest.Want)
	require.NotEqual(t, digest.Want, digest.Got)
	require.Equal(t, before, inventory(t, s.Dir()))
}

func TestGetFindsByReferenceDigestAndPrefix(t *testing.T) {
	r := serve(t)
	s := openStore(t)
	img, err := s.Pull(limited(t), r.Ref(), PullOptions{})
	require.NoError(t, err)
	repo := strings.TrimSuffix(r.Ref(), ":latest")
	index := img.Blobs()[0].Digest
	for _, ref := range []string{
		r.Ref(), repo, repo + "@" + img.Digest, repo + "@" + index, repo + ":latest@" + index,
		img.Digest, index, img.Digest[:15], strings.TrimPrefix(img.Digest, "sha256:")[:6],
	} {
		got, err := s.Get(ref)
		require.NoError(t, err, ref)
		require.Equal(t, img.Digest, got.Digest, ref)
	}

	_, err = s.Get("nosuch")
	require.ErrorIs(t, err, ErrNotFound)
	require.EqualError(t, err, "find image nosuch in the store: no such image")
	_, err = s.Get("No/Such")
	var bad *ReferenceError
	require.ErrorAs(t, err, &bad)
	_, err = s.Get("sha256:0000")
	require.ErrorIs(t, err, ErrNotFound)
	_, err = s.Get("other.example/built-in@" + img.Digest)
	require.ErrorIs(t, err, ErrNotFound)
}

func TestAddListRemove(t *testing.T) {
	s := openStore(t)
	before := inventory(t, s.Dir())
	first, err := s.Add(limited(t), BuiltInRef, build(t, someParts()))
	require.NoError(t, err)
	require.Equal(t, BuiltInRef, first.Ref)
	_, err = s.Add(limited(t), "twin:1", build(t, someParts()))
	require.NoError(t, err)
	all, err := s.List()
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, "docker.io/library/twin:1", all[1].Ref)
	_, err = s.Get("docker.io/library/twi@" + first.Digest)
	require.ErrorIs(t, err, ErrNotFound, "another repository")
	_, err = s.Unpack(limited(t), first, Owner{})
	require.NoError(t, err)

	// Two names, one image: its blobs go with the second name.
	require.NoError(t, s.Remove(BuiltInRef))
	_, err = s.Get(BuiltInRef)
	require.ErrorIs(t, err, ErrNotFound)
	lowers, err := s.Unpack(limited(t), all[1], Owner{})
	require.NoError(t, err)

	// A held image stays.
	release, err := s.Hold(lowers)
	require.NoError(t, err)
	var busy *BusyError
	require.ErrorAs(t, s.Remove("twin:1"), &busy)
	require.DirExists(t, lowers[0])
	release()
	require.NoError(t, s.Remove("twin:1"))
	require.NoError(t, os.Remove(s.Path("layers", "plain")))
	require.NoError(t, os.Remove(s.Path("layout", "blobs", "sha256")))
	require.Equal(t, before, inventory(t, s.Dir()))
	require.ErrorIs(t, s.Remove("twin:1"), ErrNotFound)
}

// The store gives the layers of an image when all of them are unpacked for an
// owner, and never part of one.
func TestLayersAreWholeOrNotUnpacked(t *testing.T) {
	s := openStore(t)
	img, err := s.Add(limited(t), "a", build(t, someParts()))
	require.NoError(t, err)
	mapped := Owner{UIDBase: 100000, GIDBase: 100000}
	_, err = s.Layers(img, Owner{})
	require.ErrorIs(t, err, store.ErrNotUnpacked)
	lowers, err := s.Unpack(limited(t), img, Owner{})
	require.NoError(t, err)
	found, err := s.Layers(img, Owner{})
	require.NoError(t, err)
	require.Equal(t, lowers, found)
	require.Len(t, found, 3)
	_, err = s.Layers(img, mapped)
	require.ErrorIs(t, err, store.ErrNotUnpacked, "they are another owner's")

	// One is being unpacked again: it is not in its place until it is whole.
	place := filepath.Join(s.LayersOf(Owner{}), img.Layers[1].Name())
	require.NoError(t, os.Rename(place, filepath.Join(s.LayersOf(Owner{}), store.TempLayer+img.Layers[1].Name())))
	_, err = s.Layers(img, Owner{})
	require.ErrorIs(t, err, store.ErrNotUnpacked)
	again, err := s.Unpack(limited(t), img, Owner{})
	require.NoError(t, err)
	require.Equal(t, lowers, again)
}

func TestAmbiguousPrefix(t *testing.T) {
	s := openStore(t)
	// A made-up digest: real ones that begin alike take too long to find.
	a, err := s.Add(limited(t), "a", build(t, someParts()))
	require.NoError(t, err)
	index, err := s.Index()
	require.NoError(t, err)
	twin := *index.Manifests[0].DeepCopy()
	twin.Annotations[store.RefName] = "docker.io/library/b:latest"
	twin.Digest.Hex = twin.Digest.Hex[:8] + strings.Repeat("0", 56)
	index.Manifests = append(index.Manifests, twin)
	_, err = store.Find(index, a.Digest[:15])
	var ambiguous *store.AmbiguousError
	require.ErrorAs(t, err, &ambiguous)
	require.Len(t, ambiguous.Fits, 2)
	require.NotEmpty(t, ambiguous.Hint())
}

// Whoever dies while pulling or unpacking leaves a directory; the next to come
// removes it, but not one that is in use.
func TestSweepRemovesWhatTheDeadLeft(t *testing.T) {
	s := openStore(t)
	clean := inventory(t, s.Dir())
	alive, err := s.stage()
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(s.Path("tmp", "pull-dead"), 0o700))
	require.NoError(t, os.WriteFile(s.Path("tmp", "pull-dead", "sha256-00"), []byte("half a bl"), 0o600))
	_, err = Open(s.Dir())
	require.NoError(t, err)
	require.NoDirExists(t, s.Path("tmp", "pull-dead"))
	require.DirExists(t, alive.dir)
	alive.discard()
	require.Equal(t, clean, inventory(t, s.Dir()))

	img, err := s.Add(limited(t), "a", build(t, someParts()))
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(s.Path("layers", "plain", store.TempLayer+"dead", "sub"), 0o700))
	_, err = s.Unpack(limited(t), img, Owner{})
	require.NoError(t, err)
	require.NoDirExists(t, s.Path("layers", "plain", store.TempLayer+"dead"))
}

// Several at once, as in several processes: flock(2) does not distinguish.
func TestConcurrentUse(t *testing.T) {
	r := serve(t)
	dir := filepath.Join(t.TempDir(), "store")
	ctx := limited(t)
	results := make(chan error)
	var mu sync.Mutex
	var lowers [][]string
	const users = 6
	for range users {
		go func() {
			results <- func() error {
				s, err := Open(dir)
				if err != nil {
					return err
				}
				img, err := s.Pull(ctx, r.Ref(), PullOptions{})
				if err != nil {
					return err
				}
				dirs, err := s.Unpack(ctx, img, Owner{})
				mu.Lock()
				lowers = append(lowers, dirs)
				mu.Unlock()
				return err
			}()
		}()
	}
	for range users {
		require.NoError(t, <-results)
	}
	for _, l := range lowers {
		require.Equal(t, lowers[0], l)
	}
	left, err := filepath.Glob(filepath.Join(dir, "layers", "plain", store.TempLayer+"*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestDamagedStore(t *testing.T) {
	s := openStore(t)
	img, err := s.Add(limited(t), "a", build(t, someParts()))
	require.NoError(t, err)
	damage := func(b store.Blob) {
		raw, err := os.ReadFile(b.Path)
		require.NoError(t, err)
		raw[9] ^= 0xff // of a gzip header: the contents stay the same
		require.NoError(t, os.WriteFile(b.Path, raw, 0o644))
	}
	layer := img.Blobs()[len(img.Blobs())-1]
	damage(layer)
	before := inventory(t, s.Dir())
	_, err = s.Unpack(limited(t), img, Owner{})
	var digest *DigestError
	require.ErrorAs(t, err, &digest)
	require.Equal(t, layer.Digest, digest.Want)
	require.Contains(t, digest.Hint(), "remove the image")
	// The layers below were good, and stay.
	after := slices.DeleteFunc(inventory(t, s.Dir()), func(f string) bool { return strings.HasPrefix(f, "/layers/plain") })
	require.Equal(t, before, after)
	require.NoDirExists(t, s.Path("layers", "plain", img.Layers[2].Name()))

	dst := filepath.Join(t.TempDir(), "root")
	require.ErrorAs(t, s.Flatten(limited(t), img, Owner{}, dst), &digest)
	require.NoDirExists(t, dst)

	damage(img.Blobs()[0])
	_, err = s.Get("a")
	require.ErrorAs(t, err, &digest)
	require.Equal(t, "manifest", digest.What)
	all, err := s.List()
	require.Error(t, err)
	require.Empty(t, all)
	require.NoError(t, s.Remove("a"), "an unreadable image can be removed")
}

func TestUnpackCanBeCancelled(t *testing.T) {
	s := openStore(t)
	img, err := s.Add(limited(t), "a", build(t, someParts()))
	require.NoError(t, err)
	ctx, cancel := context.WithCancelCause(limited(t))
	why := errors.New("interrupted")
	cancel(why)
	_, err = s.Unpack(ctx, img, Owner{})
	require.ErrorIs(t, err, why)
	left, err := os.ReadDir(s.Path("layers", "plain"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestImageWithoutLayers(t *testing.T) {
	s := openStore(t)
	img, err := s.Add(limited(t), "scratch:1", empty.Image)
	require.NoError(t, err)
	require.Empty(t, img.Layers)
	lowers, err := s.Unpack(limited(t), img, Owner{})
	require.NoError(t, err)
	require.Empty(t, lowers)
}
