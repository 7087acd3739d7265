package pid1

import (
	"math/rand"
	"reflect"
	"strings"
	"testing"
	"testing/quick"

	"cutaway/sandbox/op"
	"cutaway/sandbox/sys"

	"github.com/stretchr/testify/require"
)

// Whatever is in a message arrives as it was.
func TestMessages(t *testing.T) {
	arrives := func(message any) bool {
		b, err := marshal(message)
		require.NoError(t, err)
		got := reflect.New(reflect.TypeOf(message).Elem())
		require.NoError(t, unmarshal(b, got.Interface()))
		return reflect.DeepEqual(message, got.Interface())
	}
	conf := &quick.Config{MaxCount: 200, Rand: rand.New(rand.NewSource(1))}
	require.NoError(t, quick.Check(func(m Hello) bool { return arrives(&m) }, conf))
	require.NoError(t, quick.Check(func(m Request) bool { return arrives(&m) }, conf))
	require.NoError(t, quick.Check(func(m Reply) bool { return arrives(&m) }, conf))

	var m Hello
	m.Spec.Process.Args = []string{"echo", "caf\xe9"} // Latin-1
	m.Spec.Process.Capabilities = []string{}          // none, where nil is all
	require.True(t, arrives(&m))
	require.True(t, arrives(&Reply{Error: &op.Error{Op: "mount", Errno: sys.EPERM}}))
}

// Init is told the filter that the profile makes, and of one that makes none the
// profile.
func TestFilterInPlaceOfProfile(t *testing.T) {
	profile := op.SeccompProfile{DefaultAction: "SCMP_ACT_ALLOW", Syscalls: []op.SeccompRule{{Names: []string{"reboot"}, Action: "SCMP_ACT_ERRNO"}}}
	var m Hello
	m.Spec.Linux.Seccomp = &profile
	want, err := profile.Compile()
	require.NoError(t, err)
	told := m.Compiled().Spec.Linux.Seccomp
	require.Empty(t, told.Syscalls)
	got, err := told.Compile()
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Same(t, &profile, m.Spec.Linux.Seccomp)
	require.Nil(t, profile.Filter)

	profile.DefaultAction = "SCMP_ACT_NONSENSE"
	require.Same(t, &profile, m.Compiled().Spec.Linux.Seccomp)
}

// A message that is cut off, or not one at all, is an error and never a panic.
func TestBadMessages(t *testing.T) {
	m := Hello{Steps: 3}
	m.Spec.Process.Args = strings.Fields("sh -c true")
	b, err := marshal(&m)
	require.NoError(t, err)
	for n := range b {
		require.Error(t, unmarshal(b[:n], new(Hello)), "%d of %d bytes", n, len(b))
	}
	require.Error(t, unmarshal(append(b, 0), new(Hello)))
	random := rand.New(rand.NewSource(2))
	for range 2000 {
		noise := make([]byte, random.Intn(64))
		random.Read(noise)
		_ = unmarshal(noise, new(Hello)) // by chance it may even be one
	}
}
