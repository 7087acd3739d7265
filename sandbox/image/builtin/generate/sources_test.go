package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// pkg is a package with one program, after a decoy.
func pkg(t *testing.T, name string) string {
	t.Helper()
	var data bytes.Buffer
	w := tar.NewWriter(&data)
	for _, f := range []struct{ name, body string }{
		{"./usr/share/doc/bin/busybox", "a text"}, {name, "the program"},
	} {
		require.NoError(t, w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: 0o755, Size: int64(len(f.body))}))
		_, err := w.Write([]byte(f.body))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	deb := fmt.Sprintf("!<arch>\n%-16s%-12d%-6d%-6d%-8o%-10d`\n%s", "data.tar", 0, 0, 0, 0o100644, data.Len(), data.Bytes())
	file := filepath.Join(t.TempDir(), "package.deb")
	require.NoError(t, os.WriteFile(file, []byte(deb), 0o644))
	return file
}

func TestProgramInDeb(t *testing.T) {
	for _, name := range []string{"./bin/busybox", "./usr/bin/busybox"} {
		got, err := programInDeb(pkg(t, name), "bin/busybox")
		require.NoError(t, err)
		require.Equal(t, "the program", string(got))
	}
	_, err := programInDeb(pkg(t, "./bin/other"), "bin/busybox")
	require.ErrorContains(t, err, "no program bin/busybox in it")
}
