package main

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "renew what is generated in the documentation")

// generated is a block of a document that a command has printed.
var generated = regexp.MustCompile("(?s)(<!-- generated: (cutaway [^\n]*) -->\n```\n)(.*?)(```\n<!-- end -->)")

// TestDocuments runs the commands whose output stands in documents, and fails
// when a document is stale. Only what differs from run to run is made equal.
func TestDocuments(t *testing.T) {
	const file = "../../README.md"
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NotEmpty(t, generated.FindAll(text, -1), "nothing generated is left in %s", file)
	fresh := generated.ReplaceAllFunc(text, func(block []byte) []byte {
		m := generated.FindSubmatch(block)
		output := printed(t, strings.Fields(string(m[2]))[1:])
		if !*update && alike(output) == alike(string(m[3])) {
			return block
		}
		return bytes.Join([][]byte{m[1], []byte(output), m[4]}, nil)
	})
	if *update {
		require.NoError(t, os.WriteFile(file, fresh, 0o644))
	}
	require.Equal(t, string(text), string(fresh), "%s is stale: go test ./cmd/cutaway -run TestDocuments -update", file)
}

// printed runs the cutaway that make build has left, on a host called laptop.
func printed(t *testing.T, args []string) string {
	t.Helper()
	script := "echo laptop > /proc/sys/kernel/hostname && exec ../../bin/cutaway " + strings.Join(args, " ")
	cmd := exec.CommandContext(t.Context(), "unshare", "--uts", "sh", "-c", script)
	cmd.Env = append(os.Environ(), "NO_COLOR=1", "TERM=dumb")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	return strings.Trim(string(out), "\n") + "\n"
}

// differs is what no two runs and no two machines share: the kernel, numbers,
// and with them how wide things are and where lines break.
var differs = regexp.MustCompile(`Linux \S+ #[^\n]*|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9]+(\.[0-9]+)* (us|ms|s)\b|[0-9]+|[-+|=\s]+`)

// alike makes two recordings comparable.
func alike(output string) string { return differs.ReplaceAllString(output, " ") }
