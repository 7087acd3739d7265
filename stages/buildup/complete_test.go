package buildup

import (
	"testing"

	"cutaway/sandbox/features"
	"cutaway/sandbox/image/store"
	"cutaway/sandbox/op"
	"cutaway/sandbox/plan"

	"github.com/stretchr/testify/require"
)

// anImage are the materials of an image that says all it can.
func anImage(t *testing.T, euid int) Materials {
	t.Helper()
	f, err := features.Detect()
	require.NoError(t, err)
	f.EUID = euid
	m := Materials{Features: f, Layers: []string{t.TempDir()}, Seccomp: &op.SeccompProfile{DefaultAction: "SCMP_ACT_ERRNO"},
		Config: store.Config{Entrypoint: []string{"/entry"}, Cmd: []string{"image", "words"}, Env: []string{"A=image", "PATH=/image"}, User: "7:8", WorkingDir: "/srv"}}
	m.Map()
	return m
}

func TestCompleteRunsWhatTheImageSays(t *testing.T) {
	empty, own := "", "/own"
	for name, c := range map[string]struct {
		w    Wish
		want []string
	}{
		"as it is":               {Wish{}, []string{"/entry", "image", "words"}},
		"other words":            {Wish{Args: []string{"mine"}}, []string{"/entry", "mine"}},
		"another program":        {Wish{Entrypoint: &own}, []string{"/own"}},
		"another, with words":    {Wish{Entrypoint: &own, Args: []string{"mine"}}, []string{"/own", "mine"}},
		"no entrypoint any more": {Wish{Entrypoint: &empty, Args: []string{"mine"}}, []string{"mine"}},
	} {
		s, err := Complete(anImage(t, 0), c.w)
		require.NoError(t, err, name)
		require.Equal(t, c.want, s.Process.Args, name)
	}
	_, err := Complete(anImage(t, 0), Wish{Entrypoint: &empty})
	require.ErrorContains(t, err, "names no program")
}

func TestCompleteProcess(t *testing.T) {
	s, err := Complete(anImage(t, 0), Wish{Env: []string{"A=mine", "B=2=3"}})
	require.NoError(t, err)
	require.Equal(t, []string{"HOME=/", "PATH=/image", "A=mine", "B=2=3"}, s.Process.Env)
	require.Equal(t, plan.User{UID: 7, GID: 8}, s.Process.User)
	require.Equal(t, "/srv", s.Process.Cwd)
	require.Zero(t, s.Linux.Resources, "the stages' limits are for show")
	require.Zero(t, s.Linux.TimeOffset)
	require.Empty(t, s.Net.Ports)
}

func TestCompleteCapabilities(t *testing.T) {
	caps := func(w Wish) []string {
		s, err := Complete(anImage(t, 0), w)
		require.NoError(t, err)
		require.True(t, s.Process.Restrict)
		return s.Process.Capabilities
	}
	require.Equal(t, Capabilities, caps(Wish{}))
	require.Empty(t, caps(Wish{CapDrop: []string{"ALL"}}))
	require.Equal(t, []string{"CAP_CHOWN"}, caps(Wish{CapDrop: []string{"all"}, CapAdd: []string{"chown"}}))
	require.NotContains(t, caps(Wish{CapDrop: []string{"CAP_NET_RAW"}}), "CAP_NET_RAW")
	require.Contains(t, caps(Wish{CapDrop: []string{"net_raw"}, CapAdd: []string{"net_raw"}}), "CAP_NET_RAW")
	all := caps(Wish{CapAdd: []string{"all"}, CapDrop: []string{"sys_admin"}})
	require.Contains(t, all, "CAP_SYS_TIME")
	require.NotContains(t, all, "CAP_SYS_ADMIN")
	_, err := Complete(anImage(t, 0), Wish{CapAdd: []string{"fly"}})
	var wish *WishError
	require.ErrorAs(t, err, &wish)
}

// TestCompleteForAnOrdinaryUser names the rootless way in each refusal.
func TestCompleteForAnOrdinaryUser(t *testing.T) {
	for name, w := range map[string]Wish{
		"the bridge":        {},
		"another's network": {Net: "container", NetPath: "/proc/1/ns/net"},
		"no user namespace": {Net: "none", HostUsers: true},
		"a limit":           {Net: "none", Resources: plan.Resources{PidsMax: 5}},
		"a second user":     {Net: "none", User: "1000"},
	} {
		_, err := Complete(anImage(t, 1000), w)
		var refused *NotRootError
		require.ErrorAs(t, err, &refused, name)
		require.Contains(t, refused.Hint(), "without root: ", name)
	}
	s, err := Complete(anImage(t, 1000), Wish{Net: "none"})
	require.NoError(t, err)
	require.Zero(t, s.Process.User, "whoever the image names is root inside")
	require.Equal(t, []op.IDMapping{{ContainerID: 0, HostID: 1000, Size: 1}}, s.Linux.UIDMappings)
}
