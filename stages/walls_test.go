package stages

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"cutaway/sandbox/image"
	"cutaway/sandbox/inspect"
	"cutaway/sandbox/plan"

	"github.com/stretchr/testify/require"
)

// An escape is an attempt to get out of a container, and the walls in its way.
// It is made several times:
//
//   - in the container of cutaway run, as its root: refused;
//   - where all walls but one are taken away, for each: refused by that one;
//   - where none is left: it succeeds, or the attempt would prove nothing.
type escape struct {
	name string
	// do is a command inside. HOSTPID, HOSTLINK and HOSTNAME in it stand for
	// things of the host's, see newTargets.
	do    string
	walls []wall
	free  string // a regular expression for what it prints where no wall is left
	// past is a CVE number, or another word for where this has happened.
	past string
	// config is the kernel's option without which there is nothing to reach for.
	config string
	// absent says why nobody could succeed on this machine, "" if somebody can.
	absent func() string
}

// escapes are all of them, family by family.
var escapes = slices.Concat(fileEscapes, callEscapes, processEscapes, networkEscapes)

// TestWalls makes every attempt.
func TestWalls(t *testing.T) {
	w := newWallTest(t)
	for _, e := range escapes {
		t.Run(strings.ReplaceAll(e.name, "/", "-"), func(t *testing.T) { w.try(t, e) })
	}
}

// wallTest has the containers in which the attempts are made, by what is standing
// in them.
type wallTest struct {
	runner    Runner
	materials Materials
	spec      plan.Spec
	chrooted  plan.Spec // the container of stage 01
	targets   *strings.Replacer
	rooms     map[string]*Look
}

func newWallTest(t *testing.T) *wallTest {
	l, store, err := openLab(stateDir(t))
	require.NoError(t, err)
	w := &wallTest{runner: Runner{Lab: l, Store: store}, rooms: map[string]*Look{}}
	w.materials, err = w.runner.materials(t.Context(), chroot)
	require.NoError(t, err)
	w.chrooted = Spec(chroot, w.materials)
	img, err := w.runner.Image(t.Context(), image.BuiltInRef, image.PullOptions{})
	require.NoError(t, err)
	spec, release, err := w.runner.Container(t.Context(), img, Wish{Args: []string{shell}, User: "0:0"})
	require.NoError(t, err)
	t.Cleanup(release)
	w.spec = spec
	before := look(t, l)
	t.Cleanup(func() {
		for _, room := range w.rooms {
			require.NoError(t, room.End())
		}
		after, err := inspect.Take(context.Background(), l.Scope()) // the test's own context has ended
		require.NoError(t, err)
		require.Empty(t, inspect.Compare(before, after), "the host is not what it was")
	})
	w.newTargets(t)
	return w
}

// newTargets makes what the attempts are to reach: a process, an abstract socket
// and a link of the host's.
func (w *wallTest) newTargets(t *testing.T) {
	sleep := exec.Command("sleep", "1000")
	require.NoError(t, sleep.Start())
	socket, err := net.Listen("unix", "@cutaway-wall")
	require.NoError(t, err)
	t.Cleanup(func() {
		socket.Close()
		require.NoError(t, sleep.Process.Kill())
		require.ErrorContains(t, sleep.Wait(), "killed")
	})
	base := w.room(t, nil, nil)
	w.targets = strings.NewReplacer("HOSTPID", fmt.Sprint(sleep.Process.Pid),
		"HOSTNAME", "cutaway-wall", "HOSTLINK", plan.VethName(base.Container.Spec.ID))
}

// room is a container in which the walls of standing have been put up and those
// of gone taken away.
func (w *wallTest) room(t *testing.T, standing, gone []wall) *Look {
	t.Helper()
	spec, changes := w.spec, map[string]func(*wallTest, *plan.Spec){}
	spec.Linux.Namespaces = slices.Clone(spec.Linux.Namespaces)
	for _, x := range standing {
		if x.put != nil {
			changes["with "+x.way] = x.put
		}
	}
	for _, x := range gone {
		if x.remove != nil {
			changes["without "+x.way] = x.remove
		}
	}
	names := slices.Sorted(maps.Keys(changes))
	key := strings.Join(names, ", ")
	if w.rooms[key] == nil {
		for _, name := range names {
			changes[name](w, &spec)
		}
		l, err := w.runner.look(t.Context(), container.Slug, spec, options, w.materials)
		require.NoError(t, err, "a container %s", key)
		w.rooms[key] = l
	}
	return w.rooms[key]
}

// try makes one attempt in every container that it takes.
func (w *wallTest) try(t *testing.T, e escape) {
	if why := e.why(); why != "" {
		fmt.Printf("wall: %s: not tried: %s\n", e.name, why)
		return
	}
	open := w.room(t, nil, e.walls)
	for _, x := range e.walls {
		require.False(t, x.stands(open, w.spec), "%s stands where it was taken away", x.name)
	}
	out := w.make(t, open, e.do)
	if e.config != "" && lacks(out) {
		fmt.Printf("wall: %s: not tried: this kernel was built without %s\n", e.name, e.config)
		return
	}
	require.Regexp(t, e.free, out.Text, "where no wall is left")
	base := w.room(t, e.walls, nil)
	first := w.make(t, base, e.do)
	require.NotRegexp(t, e.free, first.Text, "the container does not hold")
	refusals := 0
	for i, x := range e.walls {
		require.True(t, x.stands(base, w.spec), "%s does not stand", x.name)
		others := slices.Delete(slices.Clone(e.walls), i, i+1)
		out := w.make(t, w.room(t, e.walls[i:i+1], others), x.alone(e.do))
		require.True(t, x.refused(out), "%s alone: %s", x.name, out.Text)
		if x.refused(first) {
			refusals++
		}
	}
	require.Positive(t, refusals, "another wall stopped it: %s", first.Text)
	fmt.Printf("wall: %s: stopped by %s\n", e.name, e.stoppedBy())
}

func (w *wallTest) make(t *testing.T, room *Look, command string) Out {
	t.Helper()
	out, err := room.run(w.targets.Replace(command))
	require.NoError(t, err)
	return out
}

// lacks reports whether a kernel without any wall has no such call or file: it
// was built without it.
func lacks(o Out) bool {
	return o.Has("ENOSYS") || o.Has("ENOENT") || o.Has("No such file or directory")
}

func (e escape) why() string {
	if e.absent == nil {
		return ""
	}
	return e.absent()
}

// stoppedBy names the walls in the order in which they are met.
func (e escape) stoppedBy() string {
	var names []string
	for _, x := range e.walls {
		names = append(names, x.name+" ("+x.how()+")")
	}
	return strings.Join(names, "; by ")
}

// TestWallsAreWritten compares the table in docs/walls.md with the ones here.
func TestWallsAreWritten(t *testing.T) {
	const path, begin, end = "../docs/walls.md", "<!-- the walls, by stages/walls_test.go -->\n", "<!-- end -->"
	var table strings.Builder
	table.WriteString("| attempt | as in | stopped by |\n|---|---|---|\n")
	for _, e := range escapes {
		fmt.Fprintf(&table, "| %s | %s | %s |\n", e.name, orDash(e.past), e.stoppedBy())
	}
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(text), begin)
	require.True(t, found)
	_, after, found := strings.Cut(rest, end)
	require.True(t, found)
	now := before + begin + table.String() + end + after
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(now), 0o644))
	}
	require.True(t, string(text) == now, "%s is stale: go test ./stages -run TestWallsAreWritten -update", path)
}

// firstGroup is the cgroup namespace that the kernel begins with:
// PROC_CGROUP_INIT_INO, linux/proc_ns.h.
const firstGroup = "cgroup:[4026531835]"

// inFirstGroup says whether hierarchies of cgroup v1 can be made at all here.
func inFirstGroup() string {
	if name, err := os.Readlink("/proc/self/ns/cgroup"); err != nil || name != firstGroup {
		return "this machine is in a cgroup namespace itself"
	}
	return ""
}
