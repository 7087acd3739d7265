package stages

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"cutaway/sandbox"
	"cutaway/sandbox/inspect"
	"cutaway/stages/buildup"

	"github.com/stretchr/testify/require"
)

// TestScriptSame has the script of each stage make its container, and the stage
// itself, and compares what the kernel has for both: object by object, inside and
// on the host. What a shell cannot say is in the script as NOT DONE, and
// in the list below.
func TestScriptSame(t *testing.T) {
	l, store, err := openLab(stateDir(t))
	require.NoError(t, err)
	r := Runner{Lab: l, Store: store}
	before, met := look(t, l), make([]bool, len(unsaid))
	for _, s := range All {
		if s.Lacks(l.Features) != nil {
			continue // the tests of the stages say why
		}
		t.Run(s.Slug, func(t *testing.T) {
			text, err := r.Script(t.Context(), s)
			require.NoError(t, err)
			stage, id := r.byEngine(t, s, before)
			script := byScript(t, l, s, text, before)
			for _, row := range inspect.Pair(stage.inside, script.inside) {
				if !alike(row, id) && !excused(row, text, met) {
					t.Errorf("%s %s: the stage has %q, the script %q", row.Kind, row.Name, row.A, row.B)
				}
			}
			require.Empty(t, without(stage.outside, script.outside), "on the host, by the stage only")
			require.Empty(t, without(script.outside, stage.outside), "on the host, by the script only")
		})
	}
	require.Empty(t, inspect.Compare(before, look(t, l)))
	for i, u := range unsaid {
		require.True(t, t.Failed() || met[i], "%s differ nowhere any more: %s", u.kind, u.why)
	}
}

// unsaid are kinds of objects that a script makes otherwise, and the words in the
// script that go with it.
var unsaid = []struct {
	kind  inspect.Kind
	names []string
	says  string
	why   string
}{
	{inspect.Caps, []string{"inheritable", "ambient"}, "unshare --user", "init's rights are carried through its execve by the ambient set, those of a shell that is root inside by its uid"},
	{inspect.Caps, []string{"effective", "permitted", "bounding"}, "NOT DONE: capset", "the image has no setpriv that can drop them"},
	{inspect.Process, []string{"uid", "gid"}, "NOT DONE: setuid", "the image has no setpriv that can change them"},
	{inspect.Seccomp, []string{"mode", "filters"}, "NOT DONE: seccomp", "no command of a shell loads a filter"},
	{inspect.Seccomp, []string{"no_new_privs"}, "NOT DONE: no_new_privs", "the image has no setpriv for it"},
}

// without are the lines that others does not have.
func without(lines, others []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return slices.Contains(others, l) })
}

// excused reports whether a row differs because of what the script says it has
// not done.
func excused(row inspect.Row, script string, met []bool) bool {
	for i, u := range unsaid {
		if row.Kind == u.kind && slices.Contains(u.names, row.Name) && strings.Contains(script, u.says) {
			met[i] = true
			return true
		}
	}
	return false
}

// alike compares two containers where one of them has another id; namespaces by
// whether they are the host's.
func alike(row inspect.Row, id string) bool {
	if strings.HasPrefix(row.Name, "namespace") {
		file := string(row.Kind)
		if row.Kind == inspect.CgroupNS {
			file = "cgroup"
		}
		host, err := os.Readlink("/proc/self/ns/" + file)
		return err == nil && (row.A == host) == (row.B == host)
	}
	return strings.ReplaceAll(row.A, id, scriptID) == row.B
}

// made is what the kernel has while a container is there.
type made struct {
	inside  *inspect.Snapshot
	outside []string
}

// observe reads it, the container's id replaced.
func observe(t *testing.T, l *sandbox.Lab, before *inspect.Snapshot, pid int, id string) made {
	t.Helper()
	inside, err := inspect.OfProcess(pid)
	require.NoError(t, err)
	diff := inspect.Compare(before, look(t, l))
	var outside []string
	for _, o := range slices.Concat(diff.Created, diff.Changed) {
		if !strings.HasPrefix(o.ID, l.Dirs.Run) { // its journal and what it remembers, which a script has in variables
			outside = append(outside, strings.ReplaceAll(outsideText(o), id, scriptID))
		}
	}
	return made{inside, outside}
}

// numbers are facts that the kernel gives out, and no container has twice.
var numbers = []string{"index", "mac", "inode", "peer"}

// nsNumber is that of a namespace.
var nsNumber = regexp.MustCompile(`\[\d{10}\]`)

func outsideText(o inspect.Object) string {
	text := fmt.Sprint(o.Kind, " ", nsNumber.ReplaceAllString(o.ID, ""))
	for _, f := range o.Detail {
		if !f.Volatile && !slices.Contains(numbers, f.Key) {
			text += " " + f.Key + "=" + f.Value
		}
	}
	return text
}

// byEngine has the stage make its container, and gives its id as well.
func (r *Runner) byEngine(t *testing.T, s Stage, before *inspect.Snapshot) (made, string) {
	m, err := r.materials(t.Context(), s)
	require.NoError(t, err)
	l, err := r.look(t.Context(), s.Slug, Spec(s, m), sandbox.Options{}, m)
	require.NoError(t, err)
	waitForPayload(t, s, l.Container.PID())
	id := l.Container.Spec.ID
	defer func() { require.NoError(t, l.End()) }()
	return observe(t, l.Lab, before, l.Container.PID(), id), id
}

// byScript has a shell do it.
func byScript(t *testing.T, l *sandbox.Lab, s Stage, text string, before *inspect.Snapshot) made {
	file := filepath.Join(t.TempDir(), "script")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	cmd := exec.CommandContext(t.Context(), "sh", file)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	pipe, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var said strings.Builder
	cmd.Stderr = &said
	require.NoError(t, cmd.Start())
	if s.Slug != container.Slug { // whose payload takes no orders
		_, err = fmt.Fprintln(in, "echo ready")
		require.NoError(t, err)
		line, err := bufio.NewReader(pipe).ReadString('\n')
		require.NoError(t, err, &said)
		require.Equal(t, "ready\n", line)
	}
	var pid int
	require.Eventually(t, func() bool { pid = deepest(cmd.Process.Pid); return isPayload(s, pid) }, 30*time.Second, 10*time.Millisecond)
	seen := observe(t, l, before, pid, scriptID)
	require.NoError(t, cmd.Process.Signal(os.Interrupt)) // it takes back what it made
	in.Close()
	_ = cmd.Wait() // whether it was faster than the signal does not matter
	return seen
}

// waitForPayload waits for the last stage's program to become what it is.
func waitForPayload(t *testing.T, s Stage, pid int) {
	require.Eventually(t, func() bool { return isPayload(s, pid) }, 30*time.Second, 10*time.Millisecond)
}

// isPayload reports whether a process is a stage's payload: the shell, or the web
// server that the image's program becomes.
func isPayload(s Stage, pid int) bool {
	text, err := words(fmt.Sprintf("/proc/%d/cmdline", pid))()
	if s.Slug == container.Slug {
		return err == nil && strings.Contains(text, "httpd")
	}
	return err == nil && strings.HasPrefix(text, buildup.Shell)
}

// deepest is a process's youngest descendant.
func deepest(pid int) int {
	for {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
		children := strings.Fields(string(text))
		if err != nil || len(children) == 0 {
			return pid
		}
		if _, err := fmt.Sscan(children[len(children)-1], &pid); err != nil {
			return pid
		}
	}
}
