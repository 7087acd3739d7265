package stages

import (
	"strings"
	"testing"

	"cutaway/lessons"
	"cutaway/sandbox/trace"

	"github.com/stretchr/testify/require"
)

// wrongBelief is what many people think of containers, and where they see that it
// is not so.
type wrongBelief struct {
	belief string
	stage  string // whose lesson refutes it
	words  string // in that lesson's section on wrong beliefs
	probe  string // the observation: in the command
	expect string // and in what it has to show
}

// wrongBeliefs are those that research on teaching and the questions of learners
// name most often.
var wrongBeliefs = []wrongBelief{
	{"a container is a small virtual machine", "00-process", "Nor was a system started", "cat /proc/sys/kernel/random/boot_id", "one kernel"},
	{"containers are objects of the kernel", "15-container", "Somewhere in the kernel there is a container", "cutaway inspect ", "none of them is a container"},
	{"chroot locks a process in", "01-chroot", "chroot locks a process in", "probe escape", "it is out"},
	{"root inside is never root outside, or always", "07-user", "never root on the host", "grep Uid /proc/", "and it is user 100000"},
	{"who has all capabilities may do anything", "07-user", "All capabilities means all-powerful", "probe call sethostname", "they do not count against the host's"},
	{"free and top know the limit", "10-limits", "`free` and `top` show my limit", "grep MemTotal /proc/meminfo", "the whole machine's"},
	{"unshare takes its caller into a new PID namespace", "04-pid", "`unshare(CLONE_NEWPID)` moves me", "probe pidns", "a namespace that lost its number 1"},
	{"a PID namespace hides processes", "04-pid", "hides the processes outside it", "/comm)", "and yet it sees the host's processes"},
	{"mounts in a mount namespace stay in it", "02-mount", "the host cannot see my mounts", "nsenter --mount=$p mount -t tmpfs", "only what the peer did has leaked"},
	{"namespaces limit what is used", "10-limits", "\"Namespaces limit\"", "probe fork ", "refused at the limit"},
	{"a weight is the most that a container gets of the processor", "10-limits", "\"A CPU weight caps\"", "probe share ", "it caps nothing"},
	{"beyond the limit malloc fails", "10-limits", "beyond it malloc fails", "probe eat 128M", "SIGKILL"},
	{"number 1 is a process like others", "04-pid", "PID 1 in a container is an ordinary process", "echo still here", "never seen"},
	{"what a later layer deletes is gone", "13-overlay", "deleted in a later layer is", "etc/secret", "a later layer deletes nothing"},
	{"to write a little costs a little", "13-overlay", "a small write costs a small write", "du -sk UPPER", "by all of the file"},
}

// refutes reports whether a probe is that observation, and came out so.
func (b wrongBelief) refutes(e trace.Event) bool {
	return e.Event == trace.ProbeEvent && e.OK != nil && *e.OK && strings.Contains(e.Cmd, b.probe) && strings.Contains(e.Expect, b.expect)
}

// requireRefuted wants what a stage has shown to break each belief that its lesson
// says it does.
func requireRefuted(t *testing.T, stage string, shown []trace.Event) {
	for _, b := range wrongBeliefs {
		if b.stage != stage {
			continue
		}
		seen := false
		for _, e := range shown {
			seen = seen || b.refutes(e)
		}
		require.True(t, seen, "nothing is seen that breaks: %s", b.belief)
	}
}

// Each belief is named and contradicted in the lesson of the stage that shows the
// contrary; TestStages wants the observation itself.
func TestBeliefsAreRefuted(t *testing.T) {
	course, err := lessons.BuiltIn()
	require.NoError(t, err)
	require.Len(t, wrongBeliefs, 15)
	for _, b := range wrongBeliefs {
		_, err := Find(b.stage)
		require.NoError(t, err)
		lesson, err := course.Find(b.stage)
		require.NoError(t, err)
		text := ""
		for _, s := range lesson.Sections {
			if s.Title == "The wrong belief" {
				text = strings.Join(strings.Fields(string(s.Text)), " ")
			}
		}
		require.Contains(t, text, b.words, "%s does not name it: %s", b.stage, b.belief)
	}
}
