package sandbox

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What carries another container's id is another's; a name that only looks like
// the lab's is nobody's.
func TestWatchKnowsOwners(t *testing.T) {
	type owned struct {
		id string
		is bool
	}
	for name, want := range map[string]owned{
		"cutaway-ab12cd@net:[4026531840]":                       {"ab12cd", true},
		"inet cutaway-ab12cd":                                   {"ab12cd", true},
		"/sys/fs/cgroup/pids/cutaway/ab12cd":                    {"ab12cd", true},
		"/run/cutaway/ab12cd/journal":                           {"ab12cd", true},
		"/var/lib/cutaway/containers/ab12cd":                    {"ab12cd", true},
		"/home/cutaway-lab/cutaway/containers/ab12cd/rootfs":    {"ab12cd", true},
		"/var/lib/cutaway/containers/tree-1234567":              {"", true},
		"/var/lib/cutaway/containers/pull-1":                    {"", true},
		"/var/lib/cutaway/containers":                           {},
		"/sys/fs/cgroup/pids/cutaway":                           {},
		"cutaway0@net:[4026531840]":                             {},
		"/tmp/cutaway-1234567890/containers":                    {},
		"/var/lib/cutaway/containers/compare-123456/pull-stuff": {},
		"net.ipv4.ip_forward":                                   {},
	} {
		id, is := owner(name)
		require.Equal(t, want, owned{id, is}, name)
	}
}
