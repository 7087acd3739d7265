package image

import (
	"runtime"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"
)

func TestPlatforms(t *testing.T) {
	b := misbehave(t, honest)
	arm := setPlatform(t, b.image, "arm64", "v8")
	s390 := setPlatform(t, b.image, "s390x", "")
	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: arm, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}}},
		mutate.IndexAddendum{Add: s390, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "s390x"}}},
		mutate.IndexAddendum{Add: b.image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"}}})
	b.push(t, "many", index)
	b.push(t, "arm", arm)
	b.push(t, "nested", mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: index}))
	s := openStore(t)
	before := inventory(t, s.Dir())

	pull := func(tag, platform string) (*Image, error) {
		return s.Pull(limited(t), b.ref(tag), PullOptions{Platform: platform})
	}
	_, err := pull("many", "linux/riscv64")
	require.EqualError(t, err, "pull "+b.ref("many")+": image "+b.ref("many")+" is for linux/arm64/v8, linux/s390x; wanted is linux/riscv64")
	require.Contains(t, hintOf(err), "--platform linux/arm64/v8")
	_, err = pull("arm", "linux/ppc64le")
	require.EqualError(t, err, "pull "+b.ref("arm")+": image "+b.ref("arm")+" is for linux/arm64/v8; wanted is linux/ppc64le")
	require.Equal(t, before, inventory(t, s.Dir()))
	mine := &PlatformError{Ref: "x", Want: "linux/amd64", Have: []string{"linux/arm64"}, Machine: true}
	require.EqualError(t, mine, "image x is for linux/arm64; this machine is linux/amd64")
	_, err = pull("many", "sparc")
	var bad *ReferenceError
	require.ErrorAs(t, err, &bad)

	for tag, platform := range map[string]string{"many": "linux/arm64", "nested": "linux/s390x", "arm": "linux/arm64/v8"} {
		img, err := pull(tag, platform)
		require.NoError(t, err, tag)
		require.True(t, strings.HasPrefix(img.Platform, platform), img.Platform)
	}
	require.NoError(t, s.Remove(b.ref("many")))
	require.NoError(t, s.Remove(b.ref("nested")))
	_, err = s.Get(b.ref("arm"))
	require.NoError(t, err, "it shares everything with those removed")
}

func setPlatform(t *testing.T, img v1.Image, arch, variant string) v1.Image {
	t.Helper()
	c, err := img.ConfigFile()
	require.NoError(t, err)
	c = c.DeepCopy()
	c.Architecture, c.Variant = arch, variant
	img, err = mutate.ConfigFile(img, c)
	require.NoError(t, err)
	return img
}

func TestLayersThatAreNone(t *testing.T) {
	b := misbehave(t, honest)
	for kind, want := range map[types.MediaType]string{
		types.OCIRestrictedLayer: "non-distributable layers are not fetched",
		"application/pdf":        "not the media type of a layer",
	} {
		img, err := mutate.Append(b.image, mutate.Addendum{Layer: static.NewLayer([]byte("x"), kind), MediaType: kind})
		require.NoError(t, err)
		b.push(t, "odd", img)
		s := openStore(t)
		before := inventory(t, s.Dir())
		_, err = s.Pull(limited(t), b.ref("odd"), PullOptions{})
		require.ErrorContains(t, err, want)
		require.Equal(t, before, inventory(t, s.Dir()))
	}
}

func TestChoose(t *testing.T) {
	entry := func(platform string) v1.Descriptor {
		d := v1.Descriptor{Annotations: map[string]string{"is": platform}}
		if platform != "" {
			p, err := v1.ParsePlatform(platform)
			require.NoError(t, err)
			d.Platform = p
		}
		return d
	}
	for _, c := range []struct{ want, from, chosen string }{
		{"linux/amd64", "linux/arm64 linux/amd64", "linux/amd64"},
		{"linux/amd64", "linux/amd64/v3 linux/amd64", "linux/amd64"},
		{"linux/amd64", "linux/amd64/v3", "linux/amd64/v3"},
		{"linux/arm64", "linux/arm64/v9 linux/arm64/v8", "linux/arm64/v8"},
		{"linux/arm64/v8", "linux/arm64", "linux/arm64"},
		{"linux/arm/v7", "linux/arm/v6 linux/arm/v7", "linux/arm/v7"},
		{"linux/arm/v5", "linux/arm/v6 linux/arm/v7", ""},
		{"linux/amd64", "windows/amd64", ""},
		{"linux/amd64", "unknown/unknown", ""},
	} {
		index := &v1.IndexManifest{}
		for _, p := range strings.Fields(c.from) {
			index.Manifests = append(index.Manifests, entry(p))
		}
		want, err := wanted(c.want)
		require.NoError(t, err)
		d, err := choose("x", index, want, false)
		if c.chosen == "" {
			var none *PlatformError
			require.ErrorAs(t, err, &none, c)
			require.NotContains(t, err.Error(), "unknown")
			continue
		}
		require.NoError(t, err, c)
		require.Equal(t, c.chosen, d.Annotations["is"], c)
	}
	// One entry that does not say what it is for: the config will.
	d, err := choose("x", &v1.IndexManifest{Manifests: []v1.Descriptor{entry("")}}, v1.Platform{}, true)
	require.NoError(t, err)
	require.Nil(t, d.Platform)
	machine, err := wanted("")
	require.NoError(t, err)
	require.Equal(t, "linux/"+runtime.GOARCH, machine.String())
}
