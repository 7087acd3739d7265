package plan

import (
	"testing"

	"cutaway/sandbox/features"
	"cutaway/sandbox/op"
	"cutaway/sandbox/sys"

	"github.com/stretchr/testify/require"
)

// Init is born in another's namespace, and only it: the thread that cloned it
// goes back.
func TestJoinedNamespaces(t *testing.T) {
	f := features.Features{Namespaces: map[string]bool{"ipc": true, "mnt": true}}
	s := Spec{ID: "ID", Process: Process{Args: []string{"sh"}}, Linux: Linux{Namespaces: []string{"mount", "ipc"}}}
	own := s
	s.Join("ipc", "/proc/7/ns/ipc")
	require.False(t, s.Has("ipc"))
	own.Linux.Namespaces = []string{"mount", "ipc"} // Drop works in place
	require.Empty(t, own.Linux.Joined)

	p, err := Compile(s, f)
	require.NoError(t, err)
	require.Equal(t, op.Setns{Path: "/proc/7/ns/ipc", Flag: sys.NewIPC}, p[0].Op)
	require.IsType(t, op.Clone{}, p[1].Op)
	require.Equal(t, op.Setns{Path: "/proc/self/ns/ipc", Flag: sys.NewIPC}, p[2].Op)
	for _, step := range p[:3] {
		require.Equal(t, Host, step.Where)
	}
	for _, step := range p[3:] {
		require.NotEqual(t, op.Unshare{Flags: sys.NewIPC}, step.Op)
	}

	s.Add("ipc")
	_, err = Compile(s, f)
	require.ErrorContains(t, err, "either its own ipc namespace or another's")
	own.Join("mount", "/proc/7/ns/mnt")
	_, err = Compile(own, f)
	require.ErrorContains(t, err, "cannot be born in another's mount namespace")
}
