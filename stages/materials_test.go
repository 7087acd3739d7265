package stages

import (
	"testing"

	"cutaway/sandbox/image"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/stretchr/testify/require"
)

// A store that an older program has filled gets this program's own image: the
// stages rely on what is in it.
func TestBuiltInReplacesThatOfAnOlderProgram(t *testing.T) {
	store, err := image.Open(t.TempDir())
	require.NoError(t, err)
	config, err := empty.Image.ConfigFile()
	require.NoError(t, err)
	config.OS, config.Architecture = "linux", "amd64"
	older, err := mutate.ConfigFile(empty.Image, config)
	require.NoError(t, err)
	before, err := store.Add(t.Context(), image.BuiltInRef, older)
	require.NoError(t, err)

	now, err := builtIn(t.Context(), store)
	require.NoError(t, err)
	want := image.BuiltInDigest()
	require.Equal(t, want, now.Digest)
	require.NotEqual(t, before.Digest, now.Digest)
	again, err := builtIn(t.Context(), store)
	require.NoError(t, err)
	require.Equal(t, now, again)
}
