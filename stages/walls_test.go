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

	"cutaway/sandbox"
	"cutaway/sandbox/image"
	"cutaway/sandbox/inspect"
	"cutaway/sandbox/plan"
	"cutaway/stages/buildup"

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
	// try makes the attempt in place of do, where it is none of a payload's.
	try func(*testing.T, *wallTest)
	// absent says why nobody could succeed on this machine, "" if somebody can.
	absent func() string
}

// escapes are all of them, family by family.
var escapes = slices.Concat(fileEscapes, entryEscapes, callEscapes, processEscapes, networkEscapes, runtimeEscapes)

// TestWalls makes every attempt.
func TestWalls(t *testing.T) {
	w := newWallTest(t)
	for _, e := range escapes {
		t.Run(strings.ReplaceAll(e.name, "/", "-"), func(t *testing.T) {
			why := e.why()
			switch {
			case why != "":
			case e.try != nil:
				e.try(t, w)
			default:
				why = w.command(t, e)
			}
			if why != "" {
				figure(t, "not tried: %s", why)
			} else if !t.Failed() {
				figure(t, "stopped by %s", e.stoppedBy())
			}
		})
	}
}

// wallTest has the containers in which the attempts are made, by what is standing
// in them.
type wallTest struct {
	runner   Runner
	spec     plan.Spec
	chrooted plan.Spec // the container of stage 01
	targets  *strings.Replacer
	rooms    map[string]*Look
}

func newWallTest(t *testing.T) *wallTest {
	l, store, err := openLab(stateDir(t))
	require.NoError(t, err)
	w := &wallTest{runner: Runner{Lab: l, Store: store}, rooms: map[string]*Look{}}
	w.chrooted = w.small(t, chroot)
	w.spec = w.complete(t)
	w.spec.Net = plan.Net{Mode: "none", Hosts: "127.0.0.1 localhost\n"} // a file of the host's, bound in
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

// complete is the container of cutaway run, as its root; on a kernel that cannot
// make one, that of the last stage it can.
func (w *wallTest) complete(t *testing.T) plan.Spec {
	if container.Lacks(w.runner.Lab.Features) != nil {
		return w.small(t, privileges)
	}
	img, err := w.runner.Image(t.Context(), image.BuiltInRef, image.PullOptions{})
	require.NoError(t, err)
	spec, release, err := w.runner.Container(t.Context(), img, buildup.Wish{Args: []string{buildup.Shell}, User: "0:0", Net: "none"})
	require.NoError(t, err)
	t.Cleanup(release)
	return spec
}

// small is the container of a stage, with a root filesystem that is quick to copy.
func (w *wallTest) small(t *testing.T, s Stage) plan.Spec {
	m, err := w.runner.materials(t.Context(), s)
	require.NoError(t, err)
	m.Tree, err = smallTree(m.Tree)
	require.NoError(t, err)
	spec := Spec(s, m)
	return spec
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
	bridged := wall{way: "bridge", put: func(_ *wallTest, s *plan.Spec) { s.Net.Mode = "bridge" }}
	neighbour := w.room(t, []wall{bridged}, nil)
	w.targets = strings.NewReplacer("HOSTPID", fmt.Sprint(sleep.Process.Pid),
		"HOSTNAME", "cutaway-wall", "HOSTLINK", plan.VethName(neighbour.Container.Spec.ID))
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
		// It outlives this attempt: the next ones are made in it as well.
		l, err := w.runner.look(context.WithoutCancel(t.Context()), container.Slug, spec, sandbox.Options{}, Materials{})
		require.NoError(t, err, "a container %s", key)
		w.rooms[key] = l
	}
	return w.rooms[key]
}

// command makes one attempt in every container that it takes, or says why this
// machine has nothing to reach for.
func (w *wallTest) command(t *testing.T, e escape) (absent string) {
	open := w.room(t, nil, e.walls)
	for _, x := range e.walls {
		require.False(t, x.stands(open, w.spec), "%s stands where it was taken away", x.name)
	}
	out := w.make(t, open, e.do)
	if e.config != "" && lacks(out) {
		return "this kernel was built without " + e.config
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
	return ""
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
