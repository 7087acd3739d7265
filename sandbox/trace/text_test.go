package trace

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write testdata/*.txt anew from what the code does")

// golden compares got with testdata/name, or writes it with -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run go test -update once")
	require.Equal(t, string(want), string(got))
}

func rendered(t *testing.T, o TextOptions, events []Event) []byte {
	t.Helper()
	var b bytes.Buffer
	text := NewText(&b, o)
	for _, e := range events {
		text.Emit(e)
	}
	require.NoError(t, text.Err())
	return b.Bytes()
}

func TestScenes(t *testing.T) {
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			golden(t, s.name+".txt", rendered(t, TextOptions{}, s.events))
		})
	}
	golden(t, "uts.ascii.txt", rendered(t, TextOptions{ASCII: true}, utsScene()))
	golden(t, "mount.40.txt", rendered(t, TextOptions{Width: 40}, mountScene()))
}
