package vm

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Another program reads the archive as it was meant.
func TestCPIO(t *testing.T) {
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatal("the test needs busybox: vm/packages.sh install busybox")
	}
	big := bytes.Repeat([]byte("0123456789"), 1000)
	var archive bytes.Buffer
	require.NoError(t, writeCPIO(&archive, []file{
		{name: "a", mode: fs.ModeDir | 0o750},
		{name: "a/odd", mode: 0o640, body: []byte("abc")},
		{name: "a/empty", mode: 0o600},
		{name: "a/program", mode: 0o755, body: big},
		{name: "tmp", mode: fs.ModeDir | fs.ModeSticky | 0o777},
		{name: "link", mode: fs.ModeSymlink | 0o777, body: []byte("a/odd")},
	}))
	require.Zero(t, archive.Len()%4)
	dir := t.TempDir()
	cmd := exec.Command(busybox, "cpio", "-i", "-d")
	cmd.Dir, cmd.Stdin = dir, &archive
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	for name, want := range map[string]fs.FileMode{"a": fs.ModeDir | 0o750, "a/odd": 0o640, "a/empty": 0o600,
		"a/program": 0o755, "tmp": fs.ModeDir | fs.ModeSticky | 0o777} {
		st, err := os.Lstat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, want, st.Mode(), name)
	}
	got, err := os.ReadFile(filepath.Join(dir, "link"))
	require.NoError(t, err)
	require.Equal(t, "abc", string(got))
	got, err = os.ReadFile(filepath.Join(dir, "a/program"))
	require.NoError(t, err)
	require.Equal(t, big, got)
}

func TestCPIODevice(t *testing.T) {
	var archive bytes.Buffer
	require.NoError(t, writeCPIO(&archive, []file{{name: "c", mode: fs.ModeDevice | fs.ModeCharDevice | 0o600, dev: [2]uint32{5, 1}}}))
	// c_mode is a character device's, c_rdevmajor and c_rdevminor are 5 and 1.
	require.Equal(t, "00002180", archive.String()[14:22])
	require.Equal(t, "0000000500000001", archive.String()[78:94])
}

func TestDirectoriesOnTheWay(t *testing.T) {
	made := map[string]bool{".": true}
	var names []string
	for _, to := range []string{"a/b/c", "a/b/d", "tmp"} {
		for _, f := range directories(filepath.Dir(to), made) {
			names = append(names, f.name)
		}
	}
	require.Equal(t, []string{"a", "a/b"}, names)
}

// The initramfs is made in less than a second, and the second time not at all.
func TestInitramfsIsKept(t *testing.T) {
	c := testConfig(t)
	k, err := FindKernel(testContext(t), c.Kernel)
	require.NoError(t, err)
	kernels, err := cacheDir("kernels")
	require.NoError(t, err)
	require.DirExists(t, kernels)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	begin := time.Now()
	first, err := baseInitramfs(k, c.Init, "")
	require.NoError(t, err)
	require.Less(t, time.Since(begin), time.Second)
	made, err := os.Stat(first)
	require.NoError(t, err)
	again, err := baseInitramfs(k, c.Init, "")
	require.NoError(t, err)
	require.Equal(t, first, again)
	still, err := os.Stat(again)
	require.NoError(t, err)
	require.True(t, os.SameFile(made, still))

	_, err = baseInitramfs(k, "/bin/sh", "")
	require.ErrorContains(t, err, "PID 1 must run without libraries")
}

func TestConsoleExcerpt(t *testing.T) {
	r, w := io.Pipe()
	l := newConsoleLog(r)
	for range 100 {
		io.WriteString(w, "boot message\r\n")
	}
	io.WriteString(w, "[ 1.0] Kernel panic - not syncing: no init\n")
	for range 100 {
		io.WriteString(w, "call trace\n")
	}
	w.Close()
	l.settle()
	lines, panicked := l.excerpt()
	require.True(t, panicked)
	require.Len(t, lines, excerptLines)
	require.Equal(t, "[ 1.0] Kernel panic - not syncing: no init", lines[0])
}
