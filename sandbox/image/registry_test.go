package image

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/require"
)

func serve(t *testing.T) *Registry {
	t.Helper()
	r, err := ServeBuiltIn()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r
}

func TestRegistryServesIndexManifestAndBlobs(t *testing.T) {
	r := serve(t)
	ref, err := name.ParseReference(r.Ref())
	require.NoError(t, err)
	desc, err := remote.Get(ref)
	require.NoError(t, err)
	require.Equal(t, types.OCIImageIndex, desc.MediaType)
	index, err := desc.ImageIndex()
	require.NoError(t, err)
	m, err := index.IndexManifest()
	require.NoError(t, err)
	require.Len(t, m.Manifests, 1)
	require.Equal(t, "linux/"+runtime.GOARCH, m.Manifests[0].Platform.String())
	require.Empty(t, m.Manifests[0].ArtifactType)
	pulled, err := index.Image(m.Manifests[0].Digest)
	require.NoError(t, err)
	require.NoError(t, validate.Image(pulled))
	own, err := BuiltIn()
	require.NoError(t, err)
	require.Equal(t, digestOfImage(t, own), digestOfImage(t, pulled))
}

func TestRegistryTampersWithOneByte(t *testing.T) {
	r := serve(t)
	host, _, _ := strings.Cut(r.Ref(), "/")
	fetch := func(kind string, digest v1.Hash) []byte {
		resp, err := http.Get("http://" + host + "/v2/cutaway/built-in/" + kind + "/" + digest.String())
		require.NoError(t, err)
		defer resp.Body.Close()
		require.Equal(t, http.StatusOK, resp.StatusCode)
		require.Equal(t, digest.String(), resp.Header.Get("Docker-Content-Digest"))
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return body
	}
	img, err := BuiltIn()
	require.NoError(t, err)
	layers, err := img.Layers()
	require.NoError(t, err)
	layer, err := layers[1].Digest()
	require.NoError(t, err)
	config, err := img.ConfigName()
	require.NoError(t, err)
	manifest, err := img.Digest()
	require.NoError(t, err)

	for kind, digests := range map[string][]v1.Hash{"blobs": {layer, config}, "manifests": {manifest}} {
		for _, digest := range digests {
			honest := fetch(kind, digest)
			got, _, err := v1.SHA256(bytes.NewReader(honest))
			require.NoError(t, err)
			require.Equal(t, digest, got)
			r.Tamper(digest.String())
			require.Equal(t, 1, bytesThatDiffer(t, honest, fetch(kind, digest)))
		}
	}
	// A client that checks digests refuses what it is given.
	ref, err := name.NewDigest(host + "/cutaway/built-in@" + layer.String())
	require.NoError(t, err)
	pulled, err := remote.Layer(ref)
	require.NoError(t, err)
	rc, err := pulled.Compressed()
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, rc)
	require.ErrorContains(t, errors.Join(err, rc.Close()), "error verifying sha256 checksum")
}

func bytesThatDiffer(t *testing.T, a, b []byte) int {
	t.Helper()
	require.Len(t, b, len(a))
	n := 0
	for i := range a {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}
