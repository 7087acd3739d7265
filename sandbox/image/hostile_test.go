package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"

	"cutaway/sandbox/image/store"
	"cutaway/sandbox/sys"
)

// entries is a layer: headers with content.
type entries []member

type member struct {
	tar.Header
	content string
}

func aFile(name, content string) member {
	return member{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644}, content}
}

func aDir(name string) member {
	return member{tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o755}, ""}
}

func aLink(name, target string) member {
	return member{tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777}, ""}
}

func aHardLink(name, target string) member {
	return member{tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: target}, ""}
}

// archive writes a layer as a tar archive.
func archive(t testing.TB, layer entries) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range layer {
		e.Size = int64(len(e.content))
		if e.ModTime.IsZero() {
			e.ModTime = time.Unix(1_300_000_000, 0)
		}
		require.NoError(t, w.WriteHeader(&e.Header))
		_, err := io.WriteString(w, e.content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

// stacked puts an image of these archives, the base first, into a store.
func stacked(t testing.TB, s *Store, layers ...[]byte) *Image {
	t.Helper()
	img := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	for _, l := range layers {
		var err error
		img, err = mutate.Append(img, mutate.Addendum{Layer: static.NewLayer(l, types.OCIUncompressedLayer), MediaType: types.OCIUncompressedLayer})
		require.NoError(t, err)
	}
	added, err := s.Add(t.Context(), "test:1", img)
	require.NoError(t, err)
	return added
}

// A layer must not get out of the directory it is unpacked into. The directory
// beside it and the file in it stand for the rest of the machine.
func TestHostileLayers(t *testing.T) {
	cases := []struct {
		name  string
		layer entries
		want  string // error; "" means that it is unpacked, harmlessly
	}{
		{"dot dot", entries{aFile("../escaped", "x")}, `"../escaped" of layer LAYER: the name leads out of the layer`},
		{"dot dot inside", entries{aFile("a/../../escaped", "x")}, "leads out of the layer"},
		{"dot dot that comes back", entries{aDir("a"), aFile("a/../b", "x")}, "leads out of the layer"},
		{"absolute name", entries{aFile("/OUTSIDE/escaped", "x")}, ""},
		{"absolute link, then through it", entries{aLink("out", "/OUTSIDE"), aFile("out/escaped", "x")}, "EEXIST"},
		{"relative link, then through it", entries{aLink("out", "../../../../../../../../../../OUTSIDE"), aFile("out/escaped", "x")}, "EEXIST"},
		{"link to the root, then through it", entries{aLink("out", "/../.."), aFile("out/inside", "x")}, ""},
		{"link, then a file of its name", entries{aLink("out", "/OUTSIDE/precious"), aFile("out", "x")}, ""},
		{"link, then a directory of its name", entries{aLink("out", "/OUTSIDE"), aDir("out"), aFile("out/escaped", "x")}, ""},
		{"chain of links", entries{aLink("a", "b"), aLink("b", "c"), aLink("c", "/OUTSIDE"), aFile("a/escaped", "x")}, "EEXIST"},
		{"links in a circle", entries{aLink("a", "b"), aLink("b", "a"), aFile("a/file", "x")}, "ELOOP"},
		{"magic link of /proc", entries{aLink("a", "/proc/self/cwd"), aFile("a/escaped", "x")}, "EEXIST"},
		{"hard link out", entries{aHardLink("mine", "../precious")}, "leads out of the layer"},
		{"hard link to an absolute name", entries{aHardLink("mine", "/OUTSIDE/precious")}, "ENOENT"},
		{"hard link through a link", entries{aLink("out", "/OUTSIDE"), aHardLink("mine", "out/precious")}, "ENOENT"},
		{"hard link to a link, then over it", entries{aLink("out", "/OUTSIDE/precious"), aHardLink("mine", "out"), aFile("mine", "x")}, ""},
		{"hard link to a directory", entries{aDir("d"), aHardLink("mine", "d")}, "EPERM"},
		{"hard link to itself", entries{aFile("a", "x"), aHardLink("a", "a")}, ""},
		{"hard link to nothing", entries{aHardLink("a", "b")}, "ENOENT"},
		{"whiteout of the parent", entries{aFile(".wh...", "")}, "the whiteout names no file"},
		{"whiteout of the parent, below", entries{aDir("d"), aFile("d/.wh...", "")}, "the whiteout names no file"},
		{"whiteout of the directory", entries{aFile("d/.wh..", "")}, "the whiteout names no file"},
		{"whiteout of nothing", entries{aFile(".wh.", "")}, "the whiteout names no file"},
		{"whiteout through a link", entries{aLink("out", "/OUTSIDE"), aFile("out/.wh.precious", "")}, ""},
		{"opaque through a link", entries{aLink("out", "/OUTSIDE"), aFile("out/.wh..wh..opq", "")}, ""},
		{"directory named as a whiteout", entries{aFile(".wh.d/file", "")}, "cannot have a whiteout's name"},
		{"AUFS's bookkeeping", entries{aDir(".wh..wh.plnk"), aFile(".wh..wh.plnk/1.2", "x")}, ""},
		{"device of the disk", entries{{tar.Header{Typeflag: tar.TypeBlock, Name: "disk", Devmajor: 254, Mode: 0o666}, ""}}, ""},
		{"device that is a whiteout", entries{{tar.Header{Typeflag: tar.TypeChar, Name: "gone", Mode: 0o666}, ""}}, ""},
		{"root that is a file", entries{aFile(".", "x")}, "the root is not a directory"},
		{"file as a directory", entries{aFile("a", "x"), aFile("a/b", "y")}, "ENOTDIR"},
		{"name too long", entries{aFile(strings.Repeat("n", 256), "x")}, "ENAMETOOLONG"},
		{"path too long", entries{aFile(strings.Repeat("dir/", 1100)+"f", "x")}, "ENAMETOOLONG"},
		{"no such user", entries{{tar.Header{Typeflag: tar.TypeReg, Name: "a", Uid: 1<<32 - 1}, ""}}, "no such ID"},
		{"empty link", entries{aLink("a", "")}, "ENOENT"},
		{"unknown type", entries{{tar.Header{Typeflag: 'Q', Name: "a"}, ""}}, "unknown type"},
		{"overlayfs's attributes", entries{{tar.Header{Typeflag: tar.TypeDir, Name: "d", Mode: 0o755, PAXRecords: map[string]string{
			paxXattr + "trusted.overlay.redirect": "/OUTSIDE", paxXattr + "user.overlay.opaque": "y"}}, ""}}, ""},
		{"impossible attributes", entries{{tar.Header{Typeflag: tar.TypeReg, Name: "a", Mode: 0o644, PAXRecords: map[string]string{
			paxXattr + "security.capability": "nonsense", paxXattr + "nonsense": "x", paxXattr + "user." + strings.Repeat("n", 300): "x"}}, ""}}, ""},
	}
	for _, c := range cases {
		for _, how := range []string{"unpack", "flatten"} {
			t.Run(c.name+", "+how, func(t *testing.T) {
				t.Parallel()
				outside := filepath.Join(t.TempDir(), "outside")
				require.NoError(t, os.Mkdir(outside, 0o755))
				require.NoError(t, os.WriteFile(filepath.Join(outside, "precious"), []byte("p"), 0o600))
				before := describe(t, filepath.Dir(outside))
				var layer entries
				for _, e := range c.layer {
					e.Name = strings.Replace(e.Name, "/OUTSIDE", outside, 1)
					e.Linkname = strings.Replace(e.Linkname, "/OUTSIDE", outside, 1)
					layer = append(layer, e)
				}
				s := openStore(t)
				img := stacked(t, s, archive(t, entries{aDir("."), aFile("kept", "k")}), archive(t, layer))
				var err error
				var root string
				if how == "flatten" {
					root = filepath.Join(t.TempDir(), "flat")
					err = s.Flatten(limited(t), img, Owner{}, root)
				} else {
					var lowers []string
					lowers, err = s.Unpack(limited(t), img, Owner{})
					if err == nil {
						root = lowers[0]
					}
				}
				require.Equal(t, before, describe(t, filepath.Dir(outside)))
				if c.want != "" {
					require.ErrorContains(t, err, strings.ReplaceAll(c.want, "LAYER", img.Layers[1].Digest))
					var layerErr *LayerError
					require.ErrorAs(t, err, &layerErr)
					return
				}
				require.NoError(t, err)
				for name, text := range describe(t, root) {
					require.NotRegexp(t, `^[^ ]*[Dc]|overlay|/precious `, text, name) // no devices, no attributes
				}
			})
		}
	}
}

// A damaged or cut-off archive is told as such, and one that is not what the
// config says as well.
func TestBrokenArchives(t *testing.T) {
	good := archive(t, entries{aFile("a", strings.Repeat("content", 1000))})
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, err := z.Write(good)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	bomb := bytes.NewBuffer(nil)
	z = gzip.NewWriter(bomb)
	for range maxTrailer/(1<<20) + 2 {
		_, err := z.Write(make([]byte, 1<<20))
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	huge := archive(t, entries{aFile("a", "")})
	huge = append(sizedHeader(t, maxUnpacked+1), huge...)

	for name, c := range map[string]struct {
		blob []byte
		want string
	}{
		"cut off in a file":   {good[:3000], "unexpected EOF"},
		"cut off compressed":  {zipped.Bytes()[:zipped.Len()-20], "decompress: "},
		"not an archive":      {[]byte(strings.Repeat("no archive ", 100)), "read archive: archive/tar: invalid tar header"},
		"zeros without end":   {bomb.Bytes(), "more than the 67108864 bytes allowed"},
		"a file without end":  {huge, "more than the 68719476736 bytes of files allowed"},
		"zstd in name only":   {[]byte{0x28, 0xb5, 0x2f, 0xfd, 0xff, 0xff, 0xff, 0xff}, "decompress: "},
		"a window of gigabyt": {[]byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00}, "decompress: window size exceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t)
			img := stacked(t, s, c.blob)
			clean := inventory(t, s.Dir())
			_, err := s.Unpack(limited(t), img, Owner{})
			require.ErrorContains(t, err, c.want)
			require.NoError(t, os.Remove(s.Path("layers", "plain")))
			require.Equal(t, clean, inventory(t, s.Dir()))
		})
	}

	t.Run("wrong diff ID", func(t *testing.T) {
		s := openStore(t)
		img := stacked(t, s, good)
		right := img.Layers[0].DiffID
		img.Layers[0].DiffID = "sha256:" + strings.Repeat("0", 64)
		_, err := s.Unpack(limited(t), img, Owner{})
		var digest *DigestError
		require.ErrorAs(t, err, &digest)
		require.Equal(t, right, digest.Got)
	})
}

// sizedHeader is the header of a file of that size, without content.
func sizedHeader(t *testing.T, size int64) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, tar.NewWriter(&b).WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "big", Size: size, Format: tar.FormatGNU}))
	return b.Bytes()
}

func TestTooManyEntries(t *testing.T) {
	var b budget
	require.NoError(t, b.take(maxEntries, 0))
	var limit *store.LimitError
	require.ErrorAs(t, b.take(1, 0), &limit)
}

// What meets the layers below is the same in one tree and on an overlay.
func TestFlatAndOverlayAgree(t *testing.T) {
	base := entries{
		{tar.Header{Typeflag: tar.TypeDir, Name: ".", Mode: 0o751}, ""},
		{tar.Header{Typeflag: tar.TypeDir, Name: "private", Mode: 0o700, Uid: 5, Gid: 6, PAXRecords: map[string]string{paxXattr + "user.a": "b"}}, ""},
		aFile("private/old", "1"), aDir("d"), aFile("d/a", "1"), aFile("d/b", "1"), aDir("d/sub"), aFile("d/sub/x", "1"),
		aDir("e"), aFile("e/a", "1"), aLink("link", "d"), aFile("f", "1"), aDir("to-file"), aFile("to-file/x", "1"),
	}
	for name, layer := range map[string]entries{
		"a directory not described":                  {aFile("private/new", "2"), aFile("new/dir/file", "2")},
		"whiteout after what it spares":              {aFile("d/a", "2"), aFile("d/.wh.a", ""), aFile("d/.wh.b", "")},
		"whiteout before what it spares":             {aFile("d/.wh.a", ""), aFile("d/a", "2")},
		"whiteout of a directory and then a new one": {aFile(".wh.d", ""), aDir("d"), aFile("d/new", "2")},
		"a new directory and then its whiteout":      {aDir("d"), aFile("d/new", "2"), aFile(".wh.d", "")},
		"whiteout of a directory with new content":   {aFile("d/sub/new", "2"), aDir("d"), aFile("d/.wh.sub", "")},
		"opaque after what it spares":                {aDir("d"), aFile("d/new", "2"), aFile("d/.wh..wh..opq", "")},
		"opaque before what it spares":               {aDir("d"), aFile("d/.wh..wh..opq", ""), aFile("d/new", "2")},
		"opaque with whiteouts":                      {aDir("d"), aFile("d/.wh..wh..opq", ""), aFile("d/.wh.a", ""), aFile("d/new", "2")},
		"opaque root":                                {{tar.Header{Typeflag: tar.TypeDir, Name: "./", Mode: 0o755}, ""}, aFile(".wh..wh..opq", ""), aFile("new", "2")},
		"whiteout of nothing":                        {aDir("d"), aFile("d/.wh.zzz", ""), aDir("fresh"), aFile("fresh/.wh.zzz", ""), aFile("no/such/.wh.dir", "")},
		"whiteout of a link to a directory":          {aFile(".wh.link", "")},
		"a directory in the place of a link":         {aDir("link"), aFile("link/new", "2")},
		"a file in the place of a directory":         {aFile("to-file", "2"), aFile("to-file/.wh.x", "")},
		"a directory in the place of a file":         {aDir("f"), aFile("f/new", "2")},
		"hard link to a file below":                  {aHardLink("e/b", "e/a"), aHardLink("c", "e/a"), aHardLink("private/l", "/private/old")},
		"hard link to a link below":                  {aHardLink("other", "link")},
		"the same name twice":                        {aFile("t", "1"), aDir("t"), aFile("t/x", "2"), aFile("t", "3")},
		"whiteout and whiteout below":                {aFile("d/.wh.sub", ""), aFile("d/sub/.wh.x", "")},
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t)
			img := stacked(t, s, archive(t, base), archive(t, layer), archive(t, entries{aFile("last", "3")}))
			flat := filepath.Join(t.TempDir(), "flat")
			require.NoError(t, s.Flatten(limited(t), img, Owner{}, flat))
			lowers, err := s.Unpack(limited(t), img, Owner{})
			require.NoError(t, err)
			require.Empty(t, differences(describe(t, flat), onOverlay(t, lowers)))
		})
	}
}

// Shifted, an image belongs to another range of IDs, and its file capabilities
// to that range's root.
func TestOwnerShift(t *testing.T) {
	s := openStore(t)
	capable := "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	img := stacked(t, s, archive(t, entries{
		{tar.Header{Typeflag: tar.TypeReg, Name: "f", Mode: 0o4755, Uid: 1, Gid: 2, PAXRecords: map[string]string{paxXattr + "security.capability": capable}}, "x"},
		{tar.Header{Typeflag: tar.TypeSymlink, Name: "l", Linkname: "f", Uid: 3, Gid: 4}, ""},
	}), archive(t, entries{aHardLink("again", "f")}))
	lowers, err := s.Unpack(limited(t), img, Owner{UIDBase: 100000, GIDBase: 200000})
	require.NoError(t, err)
	for path, want := range map[string]string{
		filepath.Join(lowers[1], "f"): "100001:200002 104755", filepath.Join(lowers[0], "again"): "100001:200002 104755",
		filepath.Join(lowers[1], "l"): "100003:200004 120777", lowers[1]: "100000:200000 40755", lowers[0]: "100000:200000 40755",
	} {
		var st syscall.Stat_t
		require.NoError(t, syscall.Lstat(path, &st))
		require.Equal(t, want, fmt.Sprintf("%d:%d %o", st.Uid, st.Gid, st.Mode), path)
	}
	for _, path := range []string{filepath.Join(lowers[1], "f"), filepath.Join(lowers[0], "again")} {
		xattrs, err := sys.Xattrs(path)
		require.NoError(t, err)
		want := strings.Replace(capable, "\x01\x00\x00\x02", "\x01\x00\x00\x03", 1) + "\xa0\x86\x01\x00"
		require.Equal(t, want, string(xattrs["security.capability"]))
	}
	plain, err := s.Unpack(limited(t), img, Owner{})
	require.NoError(t, err)
	require.NotEqual(t, lowers, plain)
}

// An ordinary user unpacks for himself: no chown, whiteouts all the same, and
// directories he may not write to. The test runs itself again as nobody.
func TestOrdinaryUser(t *testing.T) {
	const asked = "CUTAWAY_TEST_STORE"
	if dir := os.Getenv(asked); dir != "" {
		s, err := Open(dir)
		require.NoError(t, err)
		img := stacked(t, s,
			archive(t, entries{{tar.Header{Typeflag: tar.TypeDir, Name: "d", Mode: 0o555, Uid: 77}, ""}, aFile("d/a", "1"), aFile("d/b", "1"), aDir("o"), aFile("o/x", "1")}),
			archive(t, entries{aFile("d/.wh.a", ""), aFile("o/.wh..wh..opq", ""), {tar.Header{Typeflag: tar.TypeReg, Name: "s", Mode: 0o4755, Uid: 5}, ""}}))
		lowers, err := s.Unpack(limited(t), img, Owner{Squash: true})
		require.NoError(t, err)
		info, err := os.Lstat(filepath.Join(lowers[0], "d", "a"))
		require.NoError(t, err)
		require.True(t, store.IsWhiteout(info))
		opaque, err := store.IsOpaque(filepath.Join(lowers[0], "o"))
		require.NoError(t, err)
		require.True(t, opaque)
		info, err = os.Stat(filepath.Join(lowers[0], "d"))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o555), info.Mode().Perm())
		flat := filepath.Join(dir, "flat")
		require.NoError(t, s.Flatten(limited(t), img, Owner{Squash: true}, flat))
		require.NoFileExists(t, filepath.Join(flat, "d", "a"))
		require.NoError(t, store.RemoveTree(flat))
		require.NoError(t, s.Remove("test:1"))
		require.NoDirExists(t, lowers[0])
		return
	}
	// Not below t.TempDir(): nobody may not get through.
	home, err := os.MkdirTemp("", "cutaway-test-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.RemoveTree(home)) })
	program := filepath.Join(home, "image.test")
	data, err := os.ReadFile("/proc/self/exe")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(program, data, 0o755))
	store := filepath.Join(home, "store")
	require.NoError(t, os.Mkdir(store, 0o700))
	require.NoError(t, os.Chown(store, 65534, 65534))
	require.NoError(t, os.Chmod(home, 0o755))
	cmd := exec.CommandContext(limited(t), program, "-test.run=^TestOrdinaryUser$", "-test.v")
	cmd.Env = append(os.Environ(), asked+"="+store, "TMPDIR="+store)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "--- PASS: TestOrdinaryUser")
}

// FuzzLayer feeds archives to the unpacker. Whatever they are, nothing appears
// beside the store, and what fails leaves nothing. Run it with
// -fuzzminimizetime 1x: what several goroutines cover is never twice the same.
func FuzzLayer(f *testing.F) {
	f.Add(archive(f, entries{aDir("d"), aFile("d/f", "x"), aLink("l", "d"), aHardLink("h", "d/f"), aFile("d/.wh.g", "")}))
	f.Add(archive(f, entries{aLink("a", "/"), aFile("a/b", "x"), aFile(".wh..wh..opq", "")}))
	base := archive(f, entries{aDir("d"), aFile("d/g", "below"), aFile("d/f", "below")})
	f.Fuzz(func(t *testing.T, layer []byte) {
		s := openStore(t)
		around := s.Path("..")
		before, err := os.ReadDir(around)
		require.NoError(t, err)
		img := stacked(t, s, base, layer)
		_, unpackErr := s.Unpack(t.Context(), img, Owner{})
		flat := filepath.Join(s.Dir(), "flat")
		flattenErr := s.Flatten(t.Context(), img, Owner{}, flat)
		if flattenErr != nil {
			require.NoDirExists(t, flat)
		}
		if unpackErr == nil {
			require.DirExists(t, s.Path("layers", "plain", img.Layers[1].Name()))
		}
		after, err := os.ReadDir(around)
		require.NoError(t, err)
		require.Equal(t, len(before), len(after))
	})
}
