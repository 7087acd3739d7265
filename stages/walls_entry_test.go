package stages

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"cutaway/sandbox"
	"cutaway/sandbox/op"
	"cutaway/sandbox/plan"
	"cutaway/stages/buildup"

	"github.com/stretchr/testify/require"
)

// entryEscapes are made while the container is being built: by what its image
// says of it, and by what is left open.
var entryEscapes = []escape{
	{name: "use a directory that was left open", past: "CVE-2016-9962", try: tryLeaked,
		walls: []wall{byEngine("descriptors closed by execve", "ENOENT")}},
	{name: "have a working directory that was left open", past: "CVE-2024-21626", try: tryWorkDir,
		walls: []wall{byEngine("descriptors closed by execve", "ENOENT")}},
	{name: "mount points that are links to the host", past: "CVE-2019-19921", try: tryLinks,
		walls: []wall{byEngine("links resolved below the new root", "nothing is made outside")}},
	{name: "a volume where a link to the host is", past: "CVE-2017-1002101", try: tryVolume,
		walls: []wall{byEngine("links resolved below the new root", "nothing is mounted outside")}},
	{name: "a volume whose place turns into a link meanwhile", past: "CVE-2021-30465", try: tryExchange,
		walls: []wall{byEngine("an old root that is gone by then", "nothing is made outside")}},
	{name: "mask files with a /dev/null of the image", past: "CVE-2025-31133", try: tryNull,
		walls: []wall{byEngine("a /dev with the machine's own nodes", "1:3")}},
}

// byEngine is a wall that is the engine's doing, so that no container can do without.
func byEngine(name, how string) wall { return wall{name: name, says: []string{how}} }

// leakDir opens a directory of the host as a careless supervisor may leave one:
// inheritable. It gives its number.
func leakDir(t *testing.T) int {
	fd, err := syscall.Open("/", syscall.O_RDONLY|syscall.O_DIRECTORY, 0) // no O_CLOEXEC
	require.NoError(t, err)
	t.Cleanup(func() { syscall.Close(fd) })
	return fd
}

// output runs the container of spec and gives what it prints and its status.
func (w *wallTest) output(t *testing.T, spec plan.Spec, stdin *os.File) (Out, error) {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "output"))
	require.NoError(t, err)
	defer file.Close()
	exit, err := sandbox.Run(t.Context(), w.runner.Lab, spec, sandbox.Options{Stdio: [3]*os.File{stdin, file, file}}, false)
	_, seekErr := file.Seek(0, io.SeekStart)
	require.NoError(t, seekErr)
	text, readErr := io.ReadAll(file)
	require.NoError(t, readErr)
	return Out{strings.TrimSpace(string(text)), exit.Status()}, err
}

// script is the container of cutaway run with a command of a shell.
func (w *wallTest) script(command string) plan.Spec {
	spec := w.spec
	spec.Process.Args = []string{buildup.Shell, "-c", command}
	return spec
}

// isHost prints whether the working directory is the host's root: its inode.
const isHost = "stat -c 'inode %i' ."

func hostRoot(t *testing.T) string {
	var st syscall.Stat_t
	require.NoError(t, syscall.Stat("/", &st))
	return fmt.Sprintf("inode %d", st.Ino)
}

func openRoot(t *testing.T) *os.File {
	root, err := os.Open("/")
	require.NoError(t, err)
	t.Cleanup(func() { root.Close() })
	return root
}

// tryLeaked goes by way of each descriptor of the payload. Handed over as standard
// input, the same directory leads out.
func tryLeaked(t *testing.T, w *wallTest) {
	leaked := leakDir(t)
	null, err := os.Open(os.DevNull)
	require.NoError(t, err)
	defer null.Close()
	climb := fmt.Sprintf("for n in 0 3 4 5 6 7 8 9 %d; do cd /proc/1/fd/$n/ && %s; done", leaked, isHost)
	out, err := w.output(t, w.script(climb), null)
	require.NoError(t, err)
	require.NotContains(t, out.Text, "inode")
	require.Contains(t, out.Text, fmt.Sprintf("/proc/1/fd/%d/: No such file", leaked))
	out, err = w.output(t, w.script(climb), openRoot(t))
	require.NoError(t, err)
	require.Contains(t, out.Text, hostRoot(t), "where the directory is handed over")
}

// tryWorkDir has init change to a directory by a descriptor of its own, before
// the payload is there.
func tryWorkDir(t *testing.T, w *wallTest) {
	spec := w.script(isHost)
	for _, fd := range []int{3, 4, 5, 6, 7, 8, leakDir(t)} {
		spec.Process.Cwd = fmt.Sprintf("/proc/self/fd/%d", fd)
		out, err := w.output(t, spec, os.Stdin)
		var refused *op.Error
		require.True(t, errors.As(err, &refused), "descriptor %d: %v %s", fd, err, out.Text)
		require.Equal(t, "chdir", refused.Op)
	}
	spec.Process.Cwd = "/proc/self/fd/0"
	out, err := w.output(t, spec, openRoot(t))
	require.NoError(t, err)
	require.Equal(t, hostRoot(t), out.Text, "where the directory is handed over")
}

// evil makes a layer on top of the image's and a directory of the host's that its
// links lead to.
func (w *wallTest) evil(t *testing.T, links map[string]string) (spec plan.Spec, layer string) {
	t.Helper()
	w.needLayers(t)
	layer, err := os.MkdirTemp(w.runner.Lab.Dirs.Data, "evil-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(layer, 0o755))
	for path, target := range links {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(layer, path)), 0o755))
		require.NoError(t, os.Symlink(target, filepath.Join(layer, path)))
	}
	spec = w.spec
	spec.Root.Lower = append([]string{layer}, spec.Root.Lower...)
	return spec, layer
}

// needLayers skips what wants cutaway run, where the kernel cannot do it.
func (w *wallTest) needLayers(t *testing.T) {
	t.Helper()
	if err := container.Lacks(w.runner.Lab.Features); err != nil {
		t.Skip(err)
	}
}

// outside is a directory of the host's that everybody may write to, and a link to
// it that climbs from wherever it is.
func outside(t *testing.T) (dir, link string) {
	dir = t.TempDir()
	for at := dir; at != os.TempDir(); at = filepath.Dir(at) {
		require.NoError(t, os.Chmod(at, 0o777))
	}
	return dir, strings.Repeat("../", 20) + dir
}

// untouched asserts that nothing was made in a directory of the host's, which the
// link in a layer does lead to for who follows it outside.
func untouched(t *testing.T, dir, layer, link string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o755))
	reached, err := filepath.EvalSymlinks(filepath.Join(layer, link))
	require.NoError(t, err)
	require.Equal(t, dir, reached, "followed outside, the link leads to the host")
	made, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, made)
}

func tryLinks(t *testing.T, w *wallTest) {
	dir, up := outside(t)
	spec, layer := w.evil(t, map[string]string{"proc": up, "sys": up, "dev": up, "etc/hosts": up, "etc/resolv.conf": up})
	spec.Process.Args = []string{buildup.Shell, "-c", "stat -c '%F' /proc/self/status /dev/null /etc/hosts"}
	out, err := w.output(t, spec, os.Stdin)
	require.NoError(t, err)
	require.Contains(t, out.Text, "character special file", "what was mounted last is there")
	for _, link := range []string{"proc", "sys", "dev", "etc/hosts"} {
		untouched(t, dir, layer, link)
	}
}

func tryVolume(t *testing.T, w *wallTest) {
	dir, up := outside(t)
	spec, layer := w.evil(t, map[string]string{"data": up, "file": up})
	volume := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(volume, "canary"), nil, 0o644))
	spec.Mounts = []plan.Mount{
		{Type: "bind", Source: volume, Destination: "/data/volume"},
		{Type: "tmpfs", Destination: "/data/memory"},
		{Type: "bind", Source: filepath.Join(volume, "canary"), Destination: "/file/canary", File: true}}
	spec.Process.Args = []string{buildup.Shell, "-c", "ls /data/volume; ls /file"}
	out, err := w.output(t, spec, os.Stdin)
	require.NoError(t, err)
	require.Equal(t, "canary\ncanary\nmemory\nvolume", out.Text, "inside, all are where the link leads")
	untouched(t, dir, layer, "data")
}

// tryNull brings a /dev/null that is a link to a file of the image's. Without a
// /dev of the lab's own that file is what masks are made of, and anybody may write
// what it says.
func tryNull(t *testing.T, w *wallTest) {
	spec, _ := w.evil(t, map[string]string{"dev/null": "/etc/passwd", "dev/console": "/proc/sysrq-trigger", "dev/pts": "/proc", "dev/ptmx": "/proc/interrupts"})
	spec.Process.Args = []string{buildup.Shell, "-c", "stat -c %t:%T /dev/null /proc/interrupts; head -c 4 /proc/interrupts"}
	out, err := w.output(t, spec, os.Stdin)
	require.NoError(t, err)
	require.Equal(t, "1:3\n1:3", out.Text)
	spec.Linux.Devices, spec.Linux.Mqueue = false, false
	out, err = w.output(t, spec, os.Stdin)
	require.NoError(t, err)
	require.Equal(t, "0:0\n0:0\nroot", out.Text, "the mask is the image's file")
}

// tryExchange has somebody else, who shares a volume, put a link in the place of a
// directory in it and back, all the time, while a second volume is mounted below.
func tryExchange(t *testing.T, w *wallTest) {
	dir, up := outside(t)
	shared := t.TempDir()
	for _, parent := range []string{shared, filepath.Dir(shared)} {
		require.NoError(t, os.Chmod(parent, 0o777))
	}
	place, aside, link := filepath.Join(shared, "place"), filepath.Join(shared, "aside"), filepath.Join(shared, "link")
	require.NoError(t, os.Mkdir(place, 0o777))
	require.NoError(t, os.Chmod(place, 0o777))
	require.NoError(t, os.Symlink(up, link))
	var stop atomic.Bool
	exchanges := make(chan int)
	go func() {
		n := 0
		for !stop.Load() { // what fails meets a directory that was made there meanwhile
			if errors.Join(os.Rename(place, aside), os.Rename(link, place), os.Rename(place, link), os.Rename(aside, place)) == nil {
				n++
				continue
			}
			os.RemoveAll(place)
			os.Remove(link)
			os.Rename(aside, place)
			os.Symlink(up, link)
		}
		exchanges <- n
	}()
	spec := w.script("true")
	spec.Mounts = []plan.Mount{{Type: "bind", Source: shared, Destination: "/shared"}, {Type: "bind", Source: t.TempDir(), Destination: "/shared/place/new"}}
	// The moment is hard to hit; that there is none is in the plan.
	steps, err := plan.Compile(w.runner.Lab.Like(spec, nil), w.runner.Lab.Features)
	require.NoError(t, err)
	gone := slices.IndexFunc(steps, func(s plan.Step) bool { return s.Op == op.DetachOldRoot{} })
	require.Positive(t, gone)
	require.False(t, slices.ContainsFunc(steps[:gone], func(s plan.Step) bool {
		move, is := s.Op.(op.MoveMount)
		return is && slices.ContainsFunc(move.Moves, func(m op.Move) bool { return m.Source == shared })
	}), "a volume is mounted while the old root is there")
	tries := 30
	if testing.Short() {
		tries = 10
	}
	for range tries {
		_, _ = w.output(t, spec, os.Stdin) // where the place is gone for a moment, there is no container
		os.Remove(filepath.Join(place, "new"))
	}
	stop.Store(true)
	require.Positive(t, <-exchanges)
	made, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, made)
}
