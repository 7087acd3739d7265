package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"cutaway/sandbox/image/store"
	"cutaway/sandbox/sys"
)

// changed makes changes to base on a real overlay. It gives the upper directory,
// and what the overlay shows.
func changed(t *testing.T, base string, change func(*testing.T, string)) (upper string, shown map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"upper", "work", "merged"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o755))
	}
	done := make(chan error, 1)
	go func() {
		defer close(done)      // also where a require ends this goroutine
		runtime.LockOSThread() // never unlocked: the thread and its namespace go together
		err := errors.Join(syscall.Unshare(syscall.CLONE_NEWNS), syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""),
			syscall.Mount("overlay", dir+"/merged", "overlay", 0, "lowerdir="+base+",upperdir="+dir+"/upper,workdir="+dir+"/work,redirect_dir=off,metacopy=off"))
		if err == nil {
			// Only what this thread does sees the mount, so the change must start no other.
			change(t, dir+"/merged")
			shown = describe(t, dir+"/merged")
		}
		done <- err
	}()
	require.NoError(t, <-done)
	require.NotNil(t, shown)
	return dir + "/upper", shown
}

func layerOf(t *testing.T, upper string, o Owner) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, WriteChanges(&b, upper, o))
	return b.Bytes()
}

// What a container changed, archived and unpacked on top of what it changed, is
// what it saw.
func TestChangesBecomeALayer(t *testing.T) {
	base := t.TempDir()
	baseFiles(t, base)
	upper, want := changed(t, base, func(t *testing.T, root string) {
		changedFiles(t, root)
		require.NoError(t, os.RemoveAll(root+"/opaque"))
		writeAll(t, root, map[string]string{"opaque/new": "n"})
	})
	s := openStore(t)
	img := stacked(t, s, layerOf(t, base, Owner{}), layerOf(t, upper, Owner{}))
	lowers, err := s.Unpack(limited(t), img, Owner{})
	require.NoError(t, err)
	delete(want, "") // the root itself is no entry of a layer
	got := onOverlay(t, lowers)
	delete(got, "")
	require.Empty(t, differences(want, got))
}

// An archive has the ids of the container, wherever they are mapped to.
func TestChangesOfAMappedOwner(t *testing.T) {
	s, o := openStore(t), Owner{UIDBase: 100000, GIDBase: 200000}
	base := t.TempDir()
	baseFiles(t, base)
	require.NoError(t, os.Lchown(filepath.Join(base, "dir"), 7, 8)) // no id beyond the last, once shifted
	plain := layerOf(t, base, Owner{})
	lowers, err := s.Unpack(limited(t), stacked(t, s, plain), o)
	require.NoError(t, err)
	require.Equal(t, plain, layerOf(t, lowers[0], o))
}

func TestChangesThatNoLayerCanSay(t *testing.T) {
	for want, make := range map[string]func(root string) error{
		"this name means that another is gone": func(root string) error { return os.WriteFile(root+"/.wh.x", nil, 0o600) },
		"device nodes": func(root string) error {
			return errors.Join(syscall.Mknod(root+"/null", syscall.S_IFCHR|0o600, 1<<8|3), os.Lchown(root+"/null", 10, 10))
		},
		"only the mounted overlay has all": func(root string) error { return syscall.Setxattr(root, "trusted.overlay.redirect", []byte("x"), 0) },
		"no such ID":                       func(root string) error { return os.Lchown(root, 5, 5) },
	} {
		upper := t.TempDir()
		require.NoError(t, os.Mkdir(upper+"/dir", 0o755))
		require.NoError(t, os.Lchown(upper+"/dir", 10, 10))
		require.NoError(t, make(upper+"/dir"))
		require.ErrorContains(t, WriteChanges(io.Discard, upper, Owner{UIDBase: 10, GIDBase: 10}), want)
	}
}

// A socket, and a link that leads out, do no harm.
func TestChangesLeadNowhere(t *testing.T) {
	upper := t.TempDir()
	require.NoError(t, syscall.Mknod(upper+"/socket", syscall.S_IFSOCK|0o600, 0))
	require.NoError(t, os.Symlink("/etc/passwd", upper+"/out"))
	d, err := sys.OpenDirectory(upper)
	require.NoError(t, err)
	require.NoError(t, d.Whiteout("gone"))
	require.NoError(t, d.Close())
	r := tar.NewReader(bytes.NewReader(layerOf(t, upper, Owner{})))
	var names []string
	for h, err := r.Next(); err != io.EOF; h, err = r.Next() {
		require.NoError(t, err)
		require.Zero(t, h.Size)
		names = append(names, h.Name+h.Linkname)
	}
	require.Equal(t, []string{".wh.gone", "out/etc/passwd"}, names)
}

// File finds what layers above have hidden.
func TestFileOfALayer(t *testing.T) {
	s := openStore(t)
	img := stacked(t, s, archive(t, entries{aFile("etc/secret", "old"), aFile("./etc/secret", "secret")}), archive(t, entries{aFile("etc/.wh.secret", "")}))
	content, err := s.File(limited(t), img.Layers[0], "etc/secret")
	require.NoError(t, err)
	require.Equal(t, "secret", string(content))
	_, err = s.File(limited(t), img.Layers[1], "etc/secret")
	require.ErrorIs(t, err, fs.ErrNotExist)
	bottom := img.Blobs()[slices.IndexFunc(img.Blobs(), func(b store.Blob) bool { return b.Role == "layer" })].Path
	blob, err := os.ReadFile(bottom)
	require.NoError(t, err)
	blob[len(blob)-1] ^= 1
	require.NoError(t, os.WriteFile(bottom, blob, 0o644))
	_, err = s.File(limited(t), img.Layers[0], "etc/secret")
	var wrong *DigestError
	require.ErrorAs(t, err, &wrong)
}
