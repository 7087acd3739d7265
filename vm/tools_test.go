package vm

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A machine with util-linux lends its tools, each with its libraries; one that
// lacks a single one lends none, nor does one whose shell is busybox.
func TestTools(t *testing.T) {
	files, err := tools()
	require.NoError(t, err)
	for _, to := range []string{"/bin/sh", "/usr/local/bin/bash", "/usr/local/bin/unshare", "/usr/local/bin/setpriv"} {
		require.FileExists(t, files[to], "%s: vm/packages.sh install test", to)
	}
	require.Greater(t, len(files), len(guestTools)+1, "they are linked with libraries")

	dir := t.TempDir()
	script := func(name, text string) string {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, []byte(text), 0o755))
		return file
	}
	t.Setenv("PATH", dir)
	for _, name := range guestTools[1:] {
		script(name, "#!/bin/sh\n")
	}
	lent := func() map[string]string {
		files, err := tools()
		require.NoError(t, err)
		return files
	}
	require.Empty(t, lent(), "there is no sh")
	require.NoError(t, os.Symlink(script("busybox", "#!/bin/sh\n"), filepath.Join(dir, "sh")))
	require.Empty(t, lent(), "sh is busybox")
	require.NoError(t, os.Remove(filepath.Join(dir, "sh")))
	script("sh", "#!/bin/sh\n")
	require.Contains(t, lent(), "/usr/local/bin/setpriv")
}
