package deb

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"
)

// archive is a data.tar with a decoy before the program.
func archive(t *testing.T, name string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range []struct{ name, body string }{
		{"./usr/share/doc/bin/busybox", "a text"}, {name, "the program"},
	} {
		require.NoError(t, w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: 0o755, Size: int64(len(f.body))}))
		_, err := w.Write([]byte(f.body))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

// deb is a package with the given last member; the one before has an odd length.
func deb(t *testing.T, member string, content []byte) string {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("!<arch>\n")
	for _, m := range []struct {
		name string
		body []byte
	}{{"debian-binary", []byte("2.0")}, {member, content}} {
		fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8o%-10d`\n%s", m.name, 0, 0, 0, 0o100644, len(m.body), m.body)
		if len(m.body)%2 == 1 {
			b.WriteByte('\n')
		}
	}
	path := filepath.Join(t.TempDir(), "package.deb")
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o644))
	return path
}

// squeeze compresses b.
func squeeze(t *testing.T, b []byte, to func(io.Writer) (io.WriteCloser, error)) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := to(&out)
	require.NoError(t, err)
	_, err = w.Write(b)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

// files reads the package and gives the names and contents of its files.
func files(path string) (map[string]string, error) {
	found := map[string]string{}
	err := Files(path, func(h *tar.Header, content io.Reader) error {
		b, err := io.ReadAll(content)
		found[h.Name] = string(b)
		return err
	})
	return found, err
}

func TestFilesInEveryCompression(t *testing.T) {
	want := map[string]string{"usr/share/doc/bin/busybox": "a text", "bin/busybox": "the program"}
	for member, to := range map[string]func(io.Writer) (io.WriteCloser, error){
		"data.tar.gz":  func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
		"data.tar.xz":  func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) },
		"data.tar.zst": func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) },
	} {
		got, err := files(deb(t, member, squeeze(t, archive(t, "./bin/busybox"), to)))
		require.NoError(t, err, member)
		require.Equal(t, want, got, member)
	}
	got, err := files(deb(t, "data.tar", archive(t, "bin/busybox")))
	require.NoError(t, err)
	require.Equal(t, want, got)
}

// A visitor that has what it wants reads no further: what follows is broken.
func TestVisitorMayStop(t *testing.T) {
	short := deb(t, "data.tar", archive(t, "./bin/busybox"))
	require.NoError(t, os.Truncate(short, 1300))
	require.NoError(t, Files(short, func(h *tar.Header, content io.Reader) error { return io.EOF }))
	_, err := files(short)
	require.ErrorContains(t, err, "unexpected EOF")
	err = Files(short, func(h *tar.Header, content io.Reader) error { return os.ErrPermission })
	require.ErrorIs(t, err, os.ErrPermission)
	require.ErrorContains(t, err, "usr/share/doc/bin/busybox")
}

func TestBrokenDeb(t *testing.T) {
	whole := archive(t, "./bin/busybox")
	for want, path := range map[string]string{
		"no data.tar in it":           deb(t, "control.tar", whole),
		"unknown compression":         deb(t, "data.tar.lz", whole),
		"read data.tar.gz of package": deb(t, "data.tar.gz", whole),
		"not an ar archive":           os.DevNull,
	} {
		_, err := files(path)
		require.ErrorContains(t, err, want)
	}
}
