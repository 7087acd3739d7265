package op_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"cutaway/sandbox/features"
	"cutaway/sandbox/op"
	"cutaway/sandbox/profile"
)

// The filter that containers get does what the profile says about every call.
func TestDefaultFilter(t *testing.T) {
	for _, caps := range [][]string{nil, {"CAP_SYS_ADMIN"}, {"CAP_BPF", "CAP_SYS_PTRACE"}} {
		p, err := profile.Default(caps, features.Version{Major: 6, Minor: 1})
		require.NoError(t, err)
		length := op.CheckFilter(t, p, rand.New(rand.NewPCG(3, 4)))
		require.Less(t, length, 250, "a tree over runs of numbers is short")
	}
}
