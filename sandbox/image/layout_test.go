package image

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is saved here and loaded there is the same image.
func TestSaveAndLoad(t *testing.T) {
	s, dir := openStore(t), filepath.Join(t.TempDir(), "layout")
	img, err := s.Add(limited(t), "a/b:1", build(t, someParts()))
	require.NoError(t, err)
	require.NoError(t, s.Save("a/b:1", dir))

	other := openStore(t)
	clean := inventory(t, other.Dir())
	loaded, err := other.Load(limited(t), dir, "")
	require.NoError(t, err)
	require.Len(t, loaded, 1)
	require.Equal(t, "docker.io/a/b:1", loaded[0].Ref)
	require.Equal(t, img.Digest, loaded[0].Digest)
	_, err = other.Unpack(limited(t), loaded[0], Owner{})
	require.NoError(t, err)
	again, err := other.Load(limited(t), dir, "other:2")
	require.NoError(t, err)
	require.Equal(t, "docker.io/library/other:2", again[0].Ref)

	// A byte is changed: nothing of it is kept.
	third := openStore(t)
	layer := filepath.Join(dir, "blobs", "sha256", img.Layers[0].Digest[len("sha256:"):])
	bytes, err := os.ReadFile(layer)
	require.NoError(t, err)
	bytes[len(bytes)/2] ^= 1
	require.NoError(t, os.WriteFile(layer, bytes, 0o644))
	_, err = third.Load(limited(t), dir, "")
	var digest *DigestError
	require.ErrorAs(t, err, &digest)
	require.Equal(t, clean, inventory(t, third.Dir()))

	// A directory that is there is not written into.
	require.ErrorIs(t, s.Save("a/b:1", dir), os.ErrExist)
	require.FileExists(t, layer)
	var none *LayoutError
	_, err = s.Load(limited(t), t.TempDir(), "")
	require.ErrorAs(t, err, &none)
	require.NotEmpty(t, none.Hint())
}

// A layout comes from anybody: what lists its images may be no list, or have no end.
func TestLoadRefusesIndex(t *testing.T) {
	for name, index := range map[string]func(path string) error{
		"lists no image":        func(path string) error { return os.WriteFile(path, []byte("{}"), 0o644) },
		"is not a regular file": func(path string) error { return os.Symlink("/dev/zero", path) },
		"bytes":                 func(path string) error { return errors.Join(os.WriteFile(path, nil, 0o644), os.Truncate(path, 1<<40)) },
	} {
		dir := t.TempDir()
		require.NoError(t, index(filepath.Join(dir, "index.json")))
		_, err := openStore(t).Load(limited(t), dir, "")
		var layout *LayoutError
		require.ErrorAs(t, err, &layout, name)
		require.ErrorContains(t, err, name)
	}
}
