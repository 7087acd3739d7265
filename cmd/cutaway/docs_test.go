package main

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "renew what is generated in the documentation")

// generated is a block of a document that a command has printed, or of that the
// lines from the first with one text to the next with another.
var generated = regexp.MustCompile("(?s)(<!-- generated: (cutaway [^\n|]*?)(?: \\| from \"([^\n\"]*)\" to \"([^\n\"]*)\")? -->\n```\n)(.*?)(```\n<!-- end -->)")

// TestDocuments runs the commands whose output stands in documents, and fails
// when a document is stale. Only what differs from run to run is made equal.
func TestDocuments(t *testing.T) {
	files, err := filepath.Glob("../../lessons/*.md")
	require.NoError(t, err)
	files = append(files, "../../README.md")
	outputs := map[string]string{} // by command: lessons quote one stage in pieces
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, strings.Count(string(text), "<!-- generated:"), len(generated.FindAll(text, -1)), "a block of %s has no end", file)
			fresh := generated.ReplaceAllFunc(text, func(block []byte) []byte { return regenerate(t, block, outputs) })
			if *update {
				require.NoError(t, os.WriteFile(file, fresh, 0o644))
			}
			require.Equal(t, string(text), string(fresh), "%s is stale: go test ./cmd/cutaway -run TestDocuments -update", file)
		})
	}
}

// regenerate renews a block, unless what it has is the same but for what differs
// from run to run.
func regenerate(t *testing.T, block []byte, outputs map[string]string) []byte {
	t.Helper()
	m := generated.FindSubmatch(block)
	command, from, to := string(m[2]), string(m[3]), string(m[4])
	if _, known := outputs[command]; !known {
		outputs[command] = printed(t, strings.Fields(command)[1:])
	}
	output := outputs[command]
	if from != "" {
		output = lines(t, output, from, to)
	}
	if !*update && alike(output) == alike(string(m[5])) {
		return block
	}
	return bytes.Join([][]byte{m[1], []byte(output), m[6]}, nil)
}

// lines gives the part of an output from the first line that contains from to
// the next that contains to.
func lines(t *testing.T, output, from, to string) string {
	t.Helper()
	_, rest, found := strings.Cut("\n"+output, "\n"+lineWith(output, from))
	require.True(t, found, "no line with %q", from)
	rest = lineWith(output, from) + rest
	end := lineWith(rest, to)
	before, _, _ := strings.Cut(rest, end)
	require.NotEmpty(t, end, "no line with %q after that with %q", to, from)
	return before + end
}

// lineWith gives the first line that contains text, with its end.
func lineWith(output, text string) string {
	for line := range strings.Lines(output) {
		if strings.Contains(line, text) {
			return line
		}
	}
	return ""
}

// printed runs the cutaway that make build has left, on a host called laptop
// whose next process is 500: where lines break depends on how long the ids in
// them are.
func printed(t *testing.T, args []string) string {
	t.Helper()
	script := "echo laptop > /proc/sys/kernel/hostname && echo 499 > /proc/sys/kernel/ns_last_pid && " +
		"exec ../../bin/cutaway " + strings.Join(args, " ")
	cmd := exec.CommandContext(t.Context(), "unshare", "--uts", "--pid", "--fork", "--mount-proc", "sh", "-c", script)
	cmd.Env = append(os.Environ(), "NO_COLOR=1", "TERM=dumb")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	return strings.Trim(string(out), "\n") + "\n"
}

// differs is what no two runs and no two machines share: the kernel, containers'
// ids, numbers, and with them how wide things are and where lines break.
var differs = regexp.MustCompile(`Linux \S+ #[^\n]*|[0-9a-f]{8}-[0-9a-f-]{27}|\b[0-9a-f]{6}\b|[0-9]+(\.[0-9]+)* (us|ms|s)\b|[0-9]+|[-+|=\s]+`)

// alike makes two recordings comparable.
func alike(output string) string { return differs.ReplaceAllString(output, " ") }
