package trace

import (
	"bytes"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// Colour changes no column.
func TestFindingColumns(t *testing.T) {
	for _, f := range []Finding{
		{Level: "ok", Check: "init", Found: "embedded"},
		{Level: "limited", Check: "KVM", Found: "no", Cause: "so", Fix: "sudo modprobe kvm"},
	} {
		var plain, colored bytes.Buffer
		require.NoError(t, WriteFinding(&plain, TextOptions{}, f))
		require.NoError(t, WriteFinding(&colored, TextOptions{Color: true}, f))
		require.Contains(t, colored.String(), "\x1b[")
		require.Equal(t, plain.String(), regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(colored.String(), ""))
	}
}
