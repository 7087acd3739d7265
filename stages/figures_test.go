package stages

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// figure tells a number that a test has found. As go test says nothing of what
// passes, it goes into the file as well that make test shows in the end.
func figure(t *testing.T, format string, args ...any) {
	t.Helper()
	line := fmt.Sprintf(format, args...)
	t.Log(line)
	path := os.Getenv("CUTAWAY_FIGURES")
	if path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	require.NoError(t, err)
	defer f.Close()
	_, err = fmt.Fprintf(f, "%s: %s\n", t.Name(), line)
	require.NoError(t, err)
}
