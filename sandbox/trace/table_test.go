package trace

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"cutaway/sandbox/inspect"
)

func TestObjectsTable(t *testing.T) {
	var objs []inspect.Object
	for _, e := range processScene() {
		objs = append(objs, e.Created...)
	}
	var b bytes.Buffer
	require.NoError(t, ObjectsTable(&b, TextOptions{}, objs))
	require.NoError(t, ObjectsTable(&b, TextOptions{Width: 60}, objs))
	golden(t, "objects.txt", b.Bytes())
}

// A fact that goes on in a second line may be the widest thing in its column.
func TestTableCutsNothing(t *testing.T) {
	objs := []inspect.Object{object(inspect.CgroupNS, "cgroup:[4026531835]", "/proc/994412/ns/cgroup", "relative to the", "user:[4026531837]")}
	for cols := minTable; cols < 100; cols++ {
		var b bytes.Buffer
		require.NoError(t, ObjectsTable(&b, TextOptions{Width: cols}, objs))
		require.Contains(t, b.String(), "user:[4026531837]", "%d columns", cols)
	}
}

func pairRows() []inspect.Row {
	return []inspect.Row{
		{Kind: inspect.User, Name: "namespace", A: "user:[4026531837]", B: "user:[4026531837]", Same: true},
		{Kind: inspect.UTS, Name: "namespace", A: "uts:[4026532301]", B: "uts:[4026531838]"},
		{Kind: inspect.Process, Name: "root", A: "/", B: "/", Same: true},
		{Kind: inspect.Process, Name: "command", A: "/bin/sh -c 'while true; do date; sleep 10; done'", B: "sleep 600"},
		{Kind: inspect.Caps, Name: "effective", A: "also CAP_SYS_ADMIN CAP_NET_ADMIN", B: "nothing more"},
		{Kind: inspect.Mount, Name: "/etc/resolv.conf", A: "", B: "ext4 /dev/vda1 rw,relatime"},
	}
}

func TestPairTable(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, PairTable(&b, TextOptions{}, pairRows(), "cutaway", "runc"))
	require.NoError(t, PairTable(&b, TextOptions{Width: 50, ASCII: true}, pairRows(), "cutaway", "runc"))
	golden(t, "pair.txt", b.Bytes())
}

// Rows of a table are as wide as its rules, wide characters included.
func TestTableIsStraight(t *testing.T) {
	var b bytes.Buffer
	objs := []inspect.Object{object(inspect.Dir, "/srv/世界", "/srv/世界", "mode", "0755", "owner", "é"),
		object(inspect.Dir, "/srv", "stat(2)", "note", "e\u0301 🇩🇪")}
	require.NoError(t, ObjectsTable(&b, TextOptions{}, objs))
	lines := bytes.Split(bytes.TrimSpace(b.Bytes()), []byte("\n"))
	for _, l := range lines[1:] {
		require.Equal(t, width(string(lines[0]))+1, width(string(l)), "%s", b.String())
	}
}
