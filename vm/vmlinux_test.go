package vm

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLZ4(t *testing.T) {
	// "abc", then a copy of 9 from 3 back, which overlaps itself; then literals.
	block := []byte{0x35, 'a', 'b', 'c', 3, 0, 0x20, 'x', 'y'}
	packed := append([]byte{byte(len(block)), 0, 0, 0}, block...)
	out, err := unpackLZ4(packed, 14)
	require.NoError(t, err)
	require.Equal(t, "abcabcabcabcxy", string(out))

	// A length of 15 and more goes on in further bytes: 15 + 255 + 10.
	long := append([]byte{0xf0, 255, 10}, bytes.Repeat([]byte{'z'}, 280)...)
	out, err = unpackLZ4(append([]byte{byte(len(long)), byte(len(long) >> 8), 0, 0}, long...), 280)
	require.NoError(t, err)
	require.Len(t, out, 280)

	for name, broken := range map[string][]byte{
		"longer than it says":  {9, 0, 0, 0, 0x10},
		"a copy of nothing":    {4, 0, 0, 0, 0x10, 'a', 0, 0},
		"from before it":       {4, 0, 0, 0, 0x10, 'a', 9, 0},
		"too much":             {4, 0, 0, 0, 0x1f, 'a', 1, 0},
		"literals are missing": {2, 0, 0, 0, 0x90, 'a'},
	} {
		_, err := unpackLZ4(broken, 14)
		require.ErrorIs(t, err, errLZ4, name)
	}
}

// A real kernel is unpacked once, to something that can be started.
func TestBootable(t *testing.T) {
	k, err := FindKernel(testContext(t), KernelSource{})
	require.NoError(t, err)
	if k.Arch != "amd64" {
		return // booted as it is
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	file, err := bootable(k)
	require.NoError(t, err)
	require.NotEqual(t, k.Image, file)
	kernel, err := os.ReadFile(file)
	require.NoError(t, err)
	require.True(t, startsAsELF(kernel))

	// What cannot be unpacked is booted as it is, and not tried again.
	strange := *k
	strange.Image = t.TempDir() + "/vmlinuz"
	bzImage(t, strange.Image, "1.2.3")
	for range 2 {
		file, err = bootable(&strange)
		require.NoError(t, err)
		require.Equal(t, strange.Image, file)
	}
}
