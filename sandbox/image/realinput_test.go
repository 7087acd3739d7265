package image

import (
	"archive/tar"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/stretchr/testify/require"

	"cutaway/sandbox/sys"
)

// The image of this test is made by umoci, GNU tar and skopeo, and compared
// with what umoci unpacks: none of our own code is its own witness.

// tool finds a program the test cannot do without.
func tool(t *testing.T, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing: install %s", name, pkg)
	}
	return path
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(limited(t), name, args...)
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s %v: %s", name, args, out)
}

// realImage makes the image as an OCI layout and returns its path and that of
// the root file system umoci makes of it.
func realImage(t *testing.T) (layout, rootfs string) {
	t.Helper()
	umoci := tool(t, "umoci", "umoci")
	tool(t, "setcap", "libcap2-bin")
	dir := t.TempDir()
	layout = filepath.Join(dir, "layout")
	tag := layout + ":real"
	run(t, umoci, "init", "--layout", layout)
	run(t, umoci, "new", "--image", tag)

	bundle := filepath.Join(dir, "bundle")
	run(t, umoci, "unpack", "--image", tag, bundle)
	root := filepath.Join(bundle, "rootfs")
	baseFiles(t, root)
	run(t, umoci, "repack", "--refresh-bundle", "--image", tag, bundle)
	changedFiles(t, root)
	run(t, umoci, "repack", "--refresh-bundle", "--image", tag, bundle)

	// An opaque directory, and a whiteout on its own.
	fresh := filepath.Join(dir, "fresh")
	writeAll(t, fresh, map[string]string{"only": "what is left of the directory"})
	run(t, umoci, "insert", "--image", tag, "--opaque", fresh, "/opaque")
	run(t, umoci, "insert", "--image", tag, "--whiteout", "/gone/too")

	// Sparse files, in the form GNU tar gives them in PAX archives.
	sparse := filepath.Join(dir, "sparse")
	require.NoError(t, os.MkdirAll(filepath.Join(sparse, "holes"), 0o755))
	makeSparse(t, filepath.Join(sparse, "holes", "middle"), 1<<20, 300<<10, "data between two holes")
	makeSparse(t, filepath.Join(sparse, "holes", "all"), 3<<20, 0, "")
	archive := filepath.Join(dir, "sparse.tar")
	run(t, tool(t, "tar", "tar"), "--create", "--sparse", "--format=posix", "--file", archive, "-C", sparse, "holes")
	run(t, umoci, "raw", "add-layer", "--image", tag, archive)

	// And by our own hand what none of them writes.
	odd := filepath.Join(dir, "odd.tar")
	writeOdd(t, odd)
	run(t, umoci, "raw", "add-layer", "--image", tag, odd)

	run(t, umoci, "config", "--image", tag, "--config.cmd", "/bin/tool", "--config.env", "A=b c", "--config.user", "7:8",
		"--config.workingdir", "/dir", "--config.exposedports", "80/tcp", "--config.stopsignal", "SIGUSR1", "--config.label", "k=v")
	rootfs = filepath.Join(dir, "rootfs")
	run(t, umoci, "raw", "unpack", "--image", tag, rootfs)
	return layout, rootfs
}

func writeAll(t *testing.T, root string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	}
}

// baseFiles fills the first layer.
func baseFiles(t *testing.T, root string) {
	t.Helper()
	long := strings.Repeat("long-name-", 20)
	writeAll(t, root, map[string]string{
		"bin/tool": "a program", "bin/setuid": "another", "bin/capable": "a third", "etc/empty": "", "etc/motd": "hello",
		"dir/" + long: "over 100 characters", strings.Repeat("deep/", 40) + "file": "far down",
		"ünïcödé/名前-😀": "not ASCII", "gone/file": "x", "gone/too": "y", "gone/dir/sub": "z", "opaque/old": "o", "opaque/sub/old": "o",
		"readonly/file": "in a directory without write permission", "swap/file": "to become a directory", "swap/dir/file": "to become a file",
		"big": strings.Repeat("0123456789abcdef", 100_000), "shared/one": "linked across layers",
	})
	ok := func(errs ...error) {
		t.Helper()
		for _, err := range errs {
			require.NoError(t, err)
		}
	}
	path := func(name string) string { return filepath.Join(root, name) }
	ok(os.Link(path("bin/tool"), path("bin/tool-again")), os.Link(path("bin/tool"), path("dir/third name")))
	ok(os.Symlink("/etc/motd", path("absolute")), os.Symlink("../../../etc/motd", path("dir/relative")),
		os.Symlink("nowhere/at/all", path("dangling")), os.Symlink("/dir", path("dirlink")),
		os.Symlink(strings.Repeat("target/", 30), path("longlink")), os.Link(path("dangling"), path("dangling-again")))
	ok(syscall.Mkfifo(path("pipe"), 0o640), os.Chmod(path("pipe"), 0o622))
	ok(os.Lchown(path("etc/motd"), 1000, 2000), os.Lchown(path("absolute"), 12, 34), os.Lchown(path("dir"), 70000, 4294967293))
	ok(os.Chmod(path("bin/setuid"), 0o755|fs.ModeSetuid|fs.ModeSetgid), os.Mkdir(path("tmp"), 0), os.Chmod(path("tmp"), 0o777|fs.ModeSticky),
		os.Chmod(path("etc/empty"), 0), os.Chmod(path("readonly"), 0o555))
	run(t, "setcap", "cap_net_raw,cap_net_admin+ep", path("bin/capable"))
	for _, name := range []string{"etc/motd", "dir"} {
		ok(syscall.Setxattr(path(name), "user.note", []byte("binary \x00\xff value"), 0), syscall.Setxattr(path(name), "trusted.note", []byte("t"), 0))
	}
	for _, name := range []string{"etc/motd", "dir", "readonly", "bin/setuid", "pipe"} {
		when := time.Unix(1_000_000_000, 123_456_789)
		ok(os.Chtimes(path(name), when, when))
	}
}

// changedFiles makes the second layer's difference.
func changedFiles(t *testing.T, root string) {
	t.Helper()
	path := func(name string) string { return filepath.Join(root, name) }
	for _, name := range []string{"gone/file", "gone/dir", "swap/file", "swap/dir", "dirlink", "dir/third name"} {
		require.NoError(t, os.RemoveAll(path(name)))
	}
	writeAll(t, root, map[string]string{
		"swap/file/now": "a directory", "swap/dir": "a file", "dirlink/real": "was a link", "etc/motd": "changed", "readonly/second": "more",
	})
	require.NoError(t, os.Chmod(path("bin"), 0o700))
	require.NoError(t, os.Link(path("shared/one"), path("shared/two")))
	when := time.Unix(1_100_000_000, 0)
	require.NoError(t, os.Chtimes(path("etc"), when, when))
}

func makeSparse(t *testing.T, path string, size, at int64, data string) {
	t.Helper()
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, f.Truncate(size))
	_, err = f.WriteAt([]byte(data), at)
	require.NoError(t, err)
}

// writeOdd writes a layer that is legal and unusual: names with a slash or a
// dot in front, directories below not described, hard links into a layer below,
// a file that comes twice, a whiteout and then a new directory of that name, a
// whiteout that hides nothing.
func writeOdd(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	when := time.Unix(1_200_000_000, 0)
	w := tar.NewWriter(f)
	add := func(h tar.Header, content string) {
		h.ModTime, h.Size = when, int64(len(content))
		require.NoError(t, w.WriteHeader(&h))
		_, err := w.Write([]byte(content))
		require.NoError(t, err)
	}
	add(tar.Header{Typeflag: tar.TypeReg, Name: "/etc/leading-slash", Mode: 0o600}, "a")
	add(tar.Header{Typeflag: tar.TypeReg, Name: "./etc/twice", Mode: 0o600}, "first")
	add(tar.Header{Typeflag: tar.TypeReg, Name: "etc//twice", Mode: 0o640}, "second")
	add(tar.Header{Typeflag: tar.TypeLink, Name: "dir/link-below", Linkname: "big"}, "")
	add(tar.Header{Typeflag: tar.TypeLink, Name: "dir/link-to-link", Linkname: "/absolute"}, "")
	add(tar.Header{Typeflag: tar.TypeReg, Name: "deep/.wh.deep"}, "")
	add(tar.Header{Typeflag: tar.TypeDir, Name: "deep/", Mode: 0o750}, "")
	add(tar.Header{Typeflag: tar.TypeDir, Name: "deep/deep/", Mode: 0o705}, "")
	add(tar.Header{Typeflag: tar.TypeReg, Name: "deep/deep/new", Mode: 0o644}, "all that is left")
	add(tar.Header{Typeflag: tar.TypeReg, Name: "opaque/.wh.never-there"}, "")
	require.NoError(t, w.Close())
}

// describe tells of every file below root: type, mode, owner, size, links, times,
// extended attributes, content.
func describe(t *testing.T, root string) map[string]string {
	t.Helper()
	found := map[string]string{}
	first := map[uint64]string{} // name of an inode seen before
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := e.Info()
		require.NoError(t, err)
		st := info.Sys().(*syscall.Stat_t)
		name := strings.TrimPrefix(path, root)
		text := fmt.Sprintf("%s %d:%d %s", info.Mode(), st.Uid, st.Gid, info.ModTime().UTC().Format(time.RFC3339Nano))
		if !e.IsDir() {
			text += fmt.Sprintf(" links %d size %d", st.Nlink, st.Size)
			if other := first[st.Ino]; other != "" {
				text += " same as " + other
			} else {
				first[st.Ino] = name
			}
		}
		xattrs, err := sys.Xattrs(path)
		require.NoError(t, err)
		delete(xattrs, "user.overlay.opaque")
		for _, key := range sortedKeys(xattrs) {
			text += fmt.Sprintf(" %s=%q", key, xattrs[key])
		}
		switch info.Mode().Type() {
		case fs.ModeSymlink:
			target, err := os.Readlink(path)
			require.NoError(t, err)
			text += " -> " + target
		case 0:
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			text += fmt.Sprintf(" %x", sha256.Sum256(content))
		}
		found[name] = text
		return nil
	})
	require.NoError(t, err)
	return found
}

// differences lists what two descriptions do not have in common.
func differences(want, got map[string]string) []string {
	var found []string
	for _, name := range sortedKeys(want) {
		if want[name] != got[name] {
			found = append(found, fmt.Sprintf("%q\n want %s\n  got %s", name, want[name], got[name]))
		}
	}
	for _, name := range sortedKeys(got) {
		if _, ok := want[name]; !ok {
			found = append(found, fmt.Sprintf("%q should not be there: %s", name, got[name]))
		}
	}
	return found
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// onOverlay mounts lowers on an overlay in a mount namespace of a thread of its
// own, which ends with the thread, and describes what is there.
func onOverlay(t *testing.T, lowers []string) map[string]string {
	t.Helper()
	mnt := t.TempDir()
	done := make(chan map[string]string)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread and its namespace go together
		defer close(done)
		if err := syscall.Unshare(syscall.CLONE_NEWNS); err != nil {
			t.Errorf("unshare: %v", err)
			return
		}
		if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
			t.Errorf("make / private: %v", err)
			return
		}
		data := "lowerdir=" + strings.Join(lowers, ":")
		if err := syscall.Mount("overlay", mnt, "overlay", syscall.MS_RDONLY, data); err != nil {
			t.Errorf("mount overlay: %v", err)
			return
		}
		done <- describe(t, mnt)
	}()
	got := <-done
	require.NotNil(t, got)
	return got
}

// serveLayout starts a registry on loopback and has skopeo push the image to it,
// compressed in the way asked for.
func serveLayout(t *testing.T, layout, format string) string {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	ref := strings.TrimPrefix(server.URL, "http://") + "/real/" + format + ":1"
	run(t, tool(t, "skopeo", "skopeo"), "--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false",
		"--dest-compress-format", format, "oci:"+layout+":real", "docker://"+ref)
	return ref
}

func TestRealImageUnpacksAsUmociDoes(t *testing.T) {
	layout, rootfs := realImage(t)
	want := describe(t, rootfs)
	for _, format := range []string{"gzip", "zstd"} {
		t.Run(format, func(t *testing.T) {
			s := openStore(t)
			var notes []string
			s.Note = func(n string) { notes = append(notes, n) }
			img, err := s.Pull(limited(t), serveLayout(t, layout, format), PullOptions{})
			require.NoError(t, err)
			require.True(t, strings.HasSuffix(img.Layers[0].MediaType, format), img.Layers[0].MediaType)
			require.Equal(t, []string{"/bin/tool"}, img.Config.Cmd)
			require.Contains(t, img.Config.Env, "A=b c")
			require.Equal(t, "7:8 /dir SIGUSR1", img.Config.User+" "+img.Config.WorkingDir+" "+img.Config.StopSignal)
			require.Equal(t, []string{"80/tcp"}, img.Config.ExposedPorts)

			flat := filepath.Join(t.TempDir(), "flat")
			require.NoError(t, s.Flatten(limited(t), img, Owner{}, flat))
			require.Empty(t, differences(want, describe(t, flat)))
			lowers, err := s.Unpack(limited(t), img, Owner{})
			require.NoError(t, err)
			require.Empty(t, differences(want, onOverlay(t, lowers)))
			require.Empty(t, notes)

			var st syscall.Stat_t
			require.NoError(t, syscall.Stat(filepath.Join(flat, "holes", "all"), &st))
			require.Less(t, st.Blocks*512, st.Size/10, "holes stay holes")
		})
	}
}
