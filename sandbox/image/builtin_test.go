package image

import (
	"archive/tar"
	"bytes"
	"io"
	"runtime"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/require"
)

// someParts stand for a busybox; what matters is that they are always the same.
func someParts() *Parts {
	return &Parts{
		Arch: runtime.GOARCH, Busybox: []byte("the busybox program"), Probe: []byte("the probe program"),
		Applets: []string{"bin/busybox", "bin/ls", "bin/sh", "usr/bin/wc", "sbin/ip"},
	}
}

func build(t *testing.T, p *Parts) v1.Image {
	t.Helper()
	img, err := p.Image()
	require.NoError(t, err)
	return img
}

func digestOfImage(t *testing.T, img v1.Image) string {
	t.Helper()
	d, err := img.Digest()
	require.NoError(t, err)
	return d.String()
}

// contents reads a layer: entry name to header, and to body.
func contents(t *testing.T, layer v1.Layer) (map[string]*tar.Header, map[string]string) {
	t.Helper()
	rc, err := layer.Uncompressed()
	require.NoError(t, err)
	defer rc.Close()
	headers, bodies := map[string]*tar.Header{}, map[string]string{}
	for r := tar.NewReader(rc); ; {
		h, err := r.Next()
		if err == io.EOF {
			return headers, bodies
		}
		require.NoError(t, err)
		require.NotContains(t, headers, h.Name, "twice in one layer")
		body, err := io.ReadAll(r)
		require.NoError(t, err)
		if h.Typeflag == tar.TypeLink {
			require.Contains(t, headers, h.Linkname, "hard link before its target")
		}
		headers[h.Name], bodies[h.Name] = h, string(body)
	}
}

func TestBuiltInDigestIsAFunctionOfItsParts(t *testing.T) {
	first, second := build(t, someParts()), build(t, someParts())
	require.Equal(t, digestOfImage(t, first), digestOfImage(t, second))
	other := someParts()
	other.Probe = []byte("another probe")
	require.NotEqual(t, digestOfImage(t, first), digestOfImage(t, build(t, other)))
	// The order in which busybox lists its applets does not matter.
	shuffled := someParts()
	shuffled.Applets = []string{"sbin/ip", "bin/sh", "usr/bin/wc", "bin/ls", "bin/busybox"}
	require.Equal(t, digestOfImage(t, first), digestOfImage(t, build(t, shuffled)))
}

func TestBuiltInLayers(t *testing.T) {
	img := build(t, someParts())
	layers, err := img.Layers()
	require.NoError(t, err)
	require.Len(t, layers, 3)

	base, baseBody := contents(t, layers[0])
	require.Equal(t, "the busybox program", baseBody["bin/busybox"])
	require.Equal(t, "the probe program", baseBody["usr/bin/probe"])
	require.EqualValues(t, 0o755, base["usr/bin/probe"].Mode)
	require.EqualValues(t, tar.TypeLink, base["bin/sh"].Typeflag)
	require.Equal(t, "/bin/busybox", base["usr/bin/wc"].Linkname)
	require.EqualValues(t, 0o1777, base["tmp/"].Mode)
	require.EqualValues(t, 0o600, base["etc/secret"].Mode)
	require.Equal(t, 1000, base["home/app/"].Uid)
	for _, empty := range []string{"proc/", "sys/", "dev/", "run/", "root/", "mnt/"} {
		require.EqualValues(t, tar.TypeDir, base[empty].Typeflag, empty)
	}
	for name, h := range base {
		require.True(t, h.ModTime.Equal(madeAt), name)
	}

	change, changeBody := contents(t, layers[1])
	require.NotEqual(t, baseBody["etc/motd"], changeBody["etc/motd"])
	require.Contains(t, change, "etc/.wh.secret")
	require.Contains(t, change, "srv/notes/.wh..wh..opq")
	require.Contains(t, base, "srv/notes/first")

	app, appBody := contents(t, layers[2])
	require.EqualValues(t, 0o755, app["usr/local/bin/serve"].Mode)
	require.Contains(t, appBody["www/index.html"], "<h1>")
}

func TestBuiltInConfig(t *testing.T) {
	img := build(t, someParts())
	c, err := img.ConfigFile()
	require.NoError(t, err)
	require.Equal(t, []string{"/usr/local/bin/serve"}, c.Config.Cmd)
	require.Equal(t, "app", c.Config.User)
	require.Equal(t, "/www", c.Config.WorkingDir)
	require.Contains(t, c.Config.Env, "APP=cutaway")
	require.Contains(t, c.Config.ExposedPorts, "8080/tcp")
	require.Len(t, c.History, 3)
	require.Equal(t, "linux", c.OS)
	require.Equal(t, runtime.GOARCH, c.Architecture)
	m, err := img.Manifest()
	require.NoError(t, err)
	require.Equal(t, types.OCIManifestSchema1, m.MediaType)
	require.Equal(t, types.OCIConfigJSON, m.Config.MediaType)
	for _, l := range m.Layers {
		require.Equal(t, types.OCILayer, l.MediaType)
	}
}

func TestLayoutGivesTheSameImageBack(t *testing.T) {
	img := build(t, someParts())
	var archive bytes.Buffer
	require.NoError(t, WriteLayout(&archive, img))
	again, err := readLayout(bytes.NewReader(archive.Bytes()))
	require.NoError(t, err)
	require.NoError(t, validate.Image(again))
	require.Equal(t, digestOfImage(t, img), digestOfImage(t, again))

	_, err = readLayout(strings.NewReader("not an archive"))
	require.ErrorContains(t, err, "read image built-in")
	_, err = readLayout(strings.NewReader(""))
	require.ErrorContains(t, err, "no file index.json")
}

// The program under test was built with the image in it, or there is nothing
// to serve offline.
func TestBuiltInIsEmbedded(t *testing.T) {
	if _, err := builtInFiles.Open("builtin/image.tar"); err != nil {
		t.Fatal("sandbox/image/builtin/image.tar is missing: run `make build` first")
	}
	img, err := BuiltIn()
	require.NoError(t, err)
	require.NoError(t, validate.Image(img))
	require.Equal(t, digestOfImage(t, img), BuiltInDigest(), "image and digest are of one make")
	layers, err := img.Layers()
	require.NoError(t, err)
	require.Len(t, layers, 3)
	base, body := contents(t, layers[0])
	require.Contains(t, body["bin/busybox"], "BusyBox")
	require.Contains(t, base, "usr/bin/probe")
	require.Greater(t, len(base), 250, "applets")
}

func TestFindBusybox(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := FindBusybox(runtime.GOARCH)
	var none *NoBusyboxError
	require.ErrorAs(t, err, &none)
	require.Contains(t, none.Hint(), "busybox-static")
	t.Setenv("CUTAWAY_BUSYBOX", "/dev/null")
	_, err = FindBusybox(runtime.GOARCH)
	require.ErrorContains(t, err, "read /dev/null")
	// This test is a program for this architecture and for no other.
	if err := CheckBusybox("/proc/self/exe", runtime.GOARCH); err != nil {
		require.ErrorContains(t, err, "linked dynamically")
	}
	require.ErrorContains(t, CheckBusybox("/proc/self/exe", "riscv64"), "not for riscv64")
}
