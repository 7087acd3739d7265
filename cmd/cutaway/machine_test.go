package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHereArgs(t *testing.T) {
	for _, c := range []struct{ there, here []string }{
		{[]string{"tour", "--in", "vm", "--auto"}, []string{"tour", "--in", "host", "--auto"}},
		{[]string{"stage", "--in=vm", "pid"}, []string{"stage", "--in=host", "pid"}},
		{[]string{"stage", "pid", "--in", "vm", "--", "echo", "--in", "vm"}, []string{"stage", "pid", "--in", "host", "--", "echo", "--in", "vm"}},
	} {
		require.Equal(t, c.here, hereArgs(c.there))
	}
}
