package stages

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cutaway/sandbox"
	"cutaway/sandbox/features"
	"cutaway/sandbox/image"
	"cutaway/sandbox/inspect"
	"cutaway/sandbox/op"
	"cutaway/sandbox/pid1"
	"cutaway/sandbox/plan"
	"cutaway/sandbox/sys"
	"cutaway/stages/buildup"

	"github.com/stretchr/testify/require"
)

// What is here makes no system call, needs no root and is the same on every
// machine: the Plans of the stages, and how the stages are filed.

var update = flag.Bool("update", false, "write the golden plans in testdata anew")

// machine is a machine that can do every stage, with the given control groups.
func machine(cgroups features.Cgroups, uid, gid int) features.Features {
	f := features.Features{Kernel: features.Version{Major: 6, Minor: 12}, EUID: uid, EGID: gid, LastCap: 40,
		Cgroup: cgroups, Namespaces: map[string]bool{}, IDs: features.IDs{First: 100000, Count: 65536}}
	for _, name := range []string{"mnt", "uts", "ipc", "pid", "net", "user", "cgroup", "time"} {
		f.Namespaces[name] = true
	}
	return f
}

// The three sorts of machine: the model, one from before cgroup v2, and the
// model for an ordinary user.
var (
	unified = features.Cgroups{Mode: features.Unified, Root: "/sys/fs/cgroup",
		V2: []string{"cpuset", "cpu", "io", "memory", "pids"}, Enabled: []string{"cpu", "memory", "pids"}}
	legacy = features.Cgroups{Mode: features.Legacy, V1: map[string]string{
		"memory": "/sys/fs/cgroup/memory", "cpu": "/sys/fs/cgroup/cpu,cpuacct", "pids": "/sys/fs/cgroup/pids",
		"blkio": "/sys/fs/cgroup/blkio", "freezer": "/sys/fs/cgroup/freezer"}}

	onV2     = machine(unified, 0, 0)
	onV1     = machine(legacy, 0, 0)
	rootless = machine(unified, 1000, 100)
)

// fixed are materials that exist nowhere.
func fixed(f features.Features) Materials {
	m := Materials{Materials: buildup.Materials{
		Features: f,
		Tree:     "/var/lib/cutaway/trees/TREE",
		Lower:    "/var/lib/cutaway/trees/TREE",
		Layers:   []string{"/var/lib/cutaway/layers/3-app", "/var/lib/cutaway/layers/2-change", "/var/lib/cutaway/layers/1-base"},
		Config: image.Config{Env: []string{"GREETING=hello"}, Cmd: []string{"/usr/local/bin/serve"},
			User: "app", WorkingDir: "/www"},
		Disk: "254:0",
		User: image.User{UID: 1000, GID: 1000, Home: "/home/app"},
		// The default profile is long, and not the same for every architecture.
		Seccomp: &op.SeccompProfile{DefaultAction: "SCMP_ACT_ALLOW",
			Syscalls: []op.SeccompRule{{Names: []string{"mount"}, Action: "SCMP_ACT_ERRNO"}}},
	}}
	m.Map()
	return m
}

// example is the Spec of a stage as a container with the id ID.
func example(s Stage, f features.Features) plan.Spec {
	l := sandbox.Lab{Dirs: sandbox.Dirs{Run: "/run/cutaway", Data: "/var/lib/cutaway"}, Features: f}
	return l.Like(Spec(s, fixed(f)), nil)
}

func compile(t *testing.T, s plan.Spec, f features.Features) plan.Plan {
	t.Helper()
	p, err := plan.Compile(s, f)
	require.NoError(t, err)
	return p
}

// filterLength is the one thing in a Plan's calls that depends on the
// architecture: a filter looks for calls in another one's numbering.
var filterLength = regexp.MustCompile(`len=\d+`)

// render writes a Plan for the eye; the steps marked are new in this stage.
func render(t *testing.T, p plan.Plan, isNew []bool) string {
	t.Helper()
	calls, err := p.Calls(op.Target{Open: map[string][]int{}, Master: -1,
		Launch: sys.Launch{Exe: "/proc/self/fd/N", Argv: []string{"cutaway-init"}}})
	require.NoError(t, err)
	var b strings.Builder
	for i, step := range p {
		mark := " "
		if isNew[i] {
			mark = "+"
		}
		fmt.Fprintf(&b, "%s %2d %s %s\n", mark, i+1, step.Where, step.Op.Name())
		for _, c := range calls[i] {
			if which(step.Op) {
				continue
			}
			fmt.Fprintf(&b, "       %s\n", filterLength.ReplaceAllString(c.String(), "len=N"))
		}
		if by := step.Op.Shell(); by != "" {
			fmt.Fprintf(&b, "       $ %s\n", strings.ReplaceAll(by, "\n", "\n         "))
		}
		fmt.Fprintf(&b, "       why  %s\n", step.Why)
		if step.Must != "" || len(step.May) > 0 {
			fmt.Fprintf(&b, "       must %s  may %s\n", orDash(step.Must), orDash(strings.Join(step.May, " ")))
		}
	}
	return b.String()
}

// which tells the operations that choose, even when dry, among the paths that
// the running kernel has; their line for a shell names all.
func which(o op.Op) bool {
	switch o.(type) {
	case op.Mask, op.Readonly:
		return true
	}
	return false
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// TestPlans compares the Plan of every stage with the one on file. After a
// change that is meant: go test ./stages -run TestPlans -update, and read the
// difference.
func TestPlans(t *testing.T) {
	for _, c := range []struct {
		suffix string
		f      features.Features
		stages []Stage
	}{
		{"", onV2, All},
		{".v1", onV1, []Stage{cgroup, limits}},
		{".rootless", rootless, []Stage{user}},
	} {
		for _, s := range c.stages {
			name := s.Slug + c.suffix
			t.Run(name, func(t *testing.T) {
				p := compile(t, example(s, c.f), c.f)
				var earlier plan.Plan
				if s.Number() > 0 {
					earlier = compile(t, example(All[s.Number()-1], c.f), c.f)
				}
				golden(t, name+".plan", render(t, p, p.Beyond(earlier)))
			})
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	file, err := os.ReadFile(path)
	require.NoError(t, err)
	want, now := strings.Split(string(file), "\n"), strings.Split(got, "\n")
	for i := range max(len(want), len(now)) {
		// A whole plan beside another is too much to read: the first line tells.
		if line(want, i) != line(now, i) {
			t.Fatalf("%s:%d: the plan is another:\n on file %s\n now     %s", path, i+1, line(want, i), line(now, i))
		}
	}
}

// line is the i-th of lines, or says that there is none.
func line(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(no more lines)"
}

// No golden plan is left of a stage that is gone.
func TestEveryGoldenPlanIsOfAStage(t *testing.T) {
	files, err := filepath.Glob("testdata/*.plan")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, f := range files {
		slug, _, _ := strings.Cut(filepath.Base(f), ".")
		require.True(t, known(slug), f)
	}
}

// everyExample calls f for each stage on each sort of machine.
func everyExample(t *testing.T, f func(t *testing.T, s plan.Spec, on features.Features)) {
	for name, on := range map[string]features.Features{"v2": onV2, "v1": onV1, "rootless": rootless} {
		for _, s := range All {
			if s.Lacks(on) == nil {
				t.Run(name+" "+s.Slug, func(t *testing.T) { f(t, example(s, on), on) })
			}
		}
	}
}

func TestStepsSayWhyAndWhat(t *testing.T) {
	everyExample(t, func(t *testing.T, s plan.Spec, on features.Features) {
		for i, step := range compile(t, s, on) {
			require.NotEmpty(t, step.Why, "step %d, %s", i+1, step.Op.Name())
			require.NotRegexp(t, `\.$|\.\.`, step.Why, "it completes a sentence")
			if step.Must != "" {
				require.Contains(t, inspect.Kinds, inspect.Kind(step.Must), "step %d, %s", i+1, step.Op.Name())
			}
			for _, kind := range step.May {
				require.Contains(t, inspect.Kinds, inspect.Kind(kind), "step %d, %s", i+1, step.Op.Name())
			}
		}
	})
}

// arbitrary makes a Spec of features in any combination, sensible or not.
func arbitrary(r *rand.Rand, f features.Features) plan.Spec {
	s := example(All[r.IntN(len(All))], f)
	toggle := func(b *bool) { *b = *b != (r.IntN(4) == 0) }
	for _, ns := range []string{"mount", "uts", "pid", "ipc", "network", "user", "cgroup", "time"} {
		switch r.IntN(6) {
		case 0:
			s.Drop(ns)
		case 1:
			s.Add(ns)
		}
	}
	if r.IntN(4) == 0 {
		s.Join("ipc", "/proc/7/ns/ipc")
	}
	for _, b := range []*bool{&s.Root.Readonly, &s.Root.Pivot, &s.Linux.Proc, &s.Linux.Devices, &s.Linux.Mqueue,
		&s.Linux.Cgroup, &s.Process.NoNewPrivileges, &s.Process.Restrict, &s.Process.Terminal} {
		toggle(b)
	}
	s.Process.User.UID = r.IntN(3)
	s.Net = example(network, onV2).Net
	s.Net.Mode = []string{"", "none", "bridge", "host"}[r.IntN(4)]
	if r.IntN(3) == 0 {
		s.Mounts = []plan.Mount{{Destination: "/data", Type: "bind", Source: "/srv", Readonly: r.IntN(2) == 0}, {Destination: "/t", Type: "tmpfs"}}
	}
	return s
}

// everySpec calls f with the examples and with many arbitrary Specs that
// compile.
func everySpec(t *testing.T, f func(t *testing.T, s plan.Spec, on features.Features, p plan.Plan)) {
	everyExample(t, func(t *testing.T, s plan.Spec, on features.Features) { f(t, s, on, compile(t, s, on)) })
	r, compiled := rand.New(rand.NewPCG(1, 2)), 0
	for range 2000 {
		on := []features.Features{onV2, onV1, rootless}[r.IntN(3)]
		s := arbitrary(r, on)
		if p, err := plan.Compile(s, on); err == nil {
			compiled++
			f(t, s, on, p)
		}
	}
	require.Greater(t, compiled, 500, "too few of the arbitrary specs make sense")
}

// Compile is pure: the same Plan again, from a Spec it leaves alone, and from
// the one that init is sent.
func TestCompileIsPure(t *testing.T) {
	everySpec(t, func(t *testing.T, s plan.Spec, on features.Features, p plan.Plan) {
		before, err := json.Marshal(pid1.Hello{Spec: s, Features: on})
		require.NoError(t, err)
		again := compile(t, s, on)
		require.Equal(t, p, again)
		after, err := json.Marshal(pid1.Hello{Spec: s, Features: on})
		require.NoError(t, err)
		require.Equal(t, string(before), string(after))

		var sent pid1.Hello
		require.NoError(t, json.Unmarshal(before, &sent))
		inInit, err := sent.Plan()
		require.NoError(t, err)
		all := make([]bool, len(p))
		require.Equal(t, render(t, p, all), render(t, inInit, all), "init has another plan than the host")
	})
}

// Fused does the same operations in the same order; only neighbouring unshares
// become one call.
func TestFusedKeepsTheOrder(t *testing.T) {
	fewer := 0
	everySpec(t, func(t *testing.T, _ plan.Spec, _ features.Features, p plan.Plan) {
		fused := p.Fused()
		fewer += len(p) - len(fused)
		rest := p
		for i, step := range fused {
			flags, n := 0, 1
			if u, ok := step.Op.(op.Unshare); ok {
				for n = 0; n < len(rest) && flags != u.Flags; n++ {
					one, ok := rest[n].Op.(op.Unshare)
					require.True(t, ok, "step %d takes in what is no unshare", i+1)
					require.Zero(t, flags&one.Flags)
					flags |= one.Flags
				}
			} else {
				require.NotEmpty(t, rest)
				require.Equal(t, rest[0].Op, step.Op)
			}
			for _, original := range rest[:n] {
				require.Equal(t, original.Where, step.Where)
				named := append([]string{step.Must}, step.May...)
				require.Subset(t, named, append([]string{original.Must}, original.May...), "a kind of change got lost")
			}
			rest = rest[n:]
		}
		require.Empty(t, rest)
	})
	require.Positive(t, fewer, "no plan had anything to fuse")
}

func known(slug string) bool {
	return slices.ContainsFunc(All, func(s Stage) bool { return s.Slug == slug })
}

// One slug names a stage, its file, its lesson and its exercises.
func TestSlugs(t *testing.T) {
	files, err := filepath.Glob("[0-9]*.go")
	require.NoError(t, err)
	require.Len(t, files, len(All), "one numbered file for each stage: %q", files)
	for i, s := range All {
		require.Equal(t, fmt.Sprintf("%02d-%s", i, s.Name()), s.Slug)
		text, err := os.ReadFile(fmt.Sprintf("%02d_%s.go", i, s.Name()))
		require.NoError(t, err)
		part := buildup.All[i]
		require.Equal(t, part.Slug, s.Slug)
		require.Regexp(t, `Part:\s+buildup\.`+`(?i:`+s.Name()+`),`, string(text))
		require.Equal(t, i, s.Number())
		for _, word := range []string{s.Slug, s.Name(), fmt.Sprint(i), fmt.Sprintf("%02d", i)} {
			found, err := Find(word)
			require.NoError(t, err, word)
			require.Equal(t, s.Slug, found.Slug, word)
		}
		require.FileExists(t, filepath.Join("..", s.Code), "the code to read after stage %s", s.Slug)
		for what, words := range map[string]string{"title": s.Title, "belief": s.Belief, "lesson": s.Lesson} {
			require.NotEmpty(t, words, "stage %s has no %s", s.Slug, what)
		}
	}
}

// Lessons and exercises, whatever languages there are, are of stages.
func TestContentIsOfStages(t *testing.T) {
	beside := []string{"0-before", "16-history"} // lessons before the first stage and after the last
	for _, dir := range []string{"../lessons", "../exercises"} {
		entries, err := os.ReadDir(dir)
		if os.IsNotExist(err) {
			continue // content is written after the stage it is about
		}
		require.NoError(t, err)
		for _, e := range entries {
			slug, _, _ := strings.Cut(e.Name(), ".")
			if slug[:1] >= "0" && slug[:1] <= "9" {
				require.True(t, known(slug) || slices.Contains(beside, slug), "%s/%s is of no stage", dir, e.Name())
			}
		}
	}
}
