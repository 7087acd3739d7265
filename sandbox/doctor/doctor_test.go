package doctor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"cutaway/sandbox/features"

	"github.com/stretchr/testify/require"
)

// here is this machine, seen by root or by somebody else.
func here(t *testing.T, euid int) Machine {
	t.Helper()
	f, err := features.Detect()
	require.NoError(t, err)
	f.EUID = euid
	return Machine{Features: f, State: t.TempDir(), Installed: func(context.Context) (string, string, error) { return "", "", nil }}
}

// only gives the findings of one check.
func only(findings []Finding, check string) []Finding {
	var found []Finding
	for _, f := range findings {
		if f.Check == check {
			found = append(found, f)
		}
	}
	return found
}

// TestEveryProblemHasACause looks at this machine as it is, and at worse ones.
func TestEveryProblemHasACause(t *testing.T) {
	old := here(t, 0)
	old.Features.Kernel = features.Version{Major: 4, Minor: 19}
	bare := here(t, 1000)
	bare.Features.Namespaces, bare.Features.Cgroup = nil, features.Cgroups{Mode: features.None}
	bare.Installed = func(context.Context) (string, string, error) { return "modprobe", "sudo apk add kmod", nil }
	lost := here(t, 0)
	lost.Installed = func(context.Context) (string, string, error) { return "", "", errors.New("no sh") }
	for name, m := range map[string]Machine{"here": here(t, os.Geteuid()), "old": old, "bare": bare, "lost": lost} {
		for _, f := range Examine(t.Context(), m) {
			require.NotEmpty(t, f.Found, "%s: %s", name, f.Check)
			require.Equal(t, f.Level == Fine, f.Cause == "", "%s: %s", name, f.Check)
		}
	}
	require.False(t, Sound(Examine(t.Context(), old)))
	require.False(t, Sound(Examine(t.Context(), bare)))
	require.Equal(t, "sudo apk add kmod", only(Examine(t.Context(), bare), "programs")[0].Fix)
}

func TestNotRootIsLimited(t *testing.T) {
	f := only(Examine(t.Context(), here(t, 1000)), "privileges")[0]
	require.Equal(t, Limited, f.Level)
	require.Contains(t, f.Fix, "cutaway run --net none")
}

// TestState looks at directories that are there, are not yet, and cannot be.
func TestState(t *testing.T) {
	m := here(t, 0)
	m.State = filepath.Join(t.TempDir(), "not", "yet", "there")
	require.Equal(t, Fine, m.state().Level)
	m.State = "/proc/self/state" // nobody can make a directory there
	require.Equal(t, Broken, m.state().Level, m.state().Found)
	require.Contains(t, m.state().Fix, "--state DIR")
}

// TestDrivers finds what this kernel has, and not what no kernel has.
func TestDrivers(t *testing.T) {
	found := symbols([]driver{{symbol: "ovl_fill_super"}, {symbol: "cutaway_no_such_symbol"}})
	require.NotNil(t, found)
	require.False(t, found["cutaway_no_such_symbol"])
	require.False(t, loadable("0.0.0-none", "overlay"))
}
