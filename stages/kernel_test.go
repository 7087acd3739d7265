package stages

import (
	"bytes"
	"context"
	"errors"
	"os"
	"testing"

	"cutaway/sandbox"
	"cutaway/sandbox/image"
	"cutaway/sandbox/inspect"
	"cutaway/sandbox/trace"

	"github.com/stretchr/testify/require"
)

// cutaway is the finished program, which a look starts once more; here the
// program that runs is the test.
const cutaway = "../bin/cutaway"

// TestStages plays every stage on this kernel: all steps change what they name
// and nothing else, every probe sees what it should, and the host is what it
// was before.
func TestStages(t *testing.T) {
	// A container's root is nobody on the host, and must find its way to its files.
	state, err := os.MkdirTemp("", "cutaway-stages-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(state, 0o711))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(state)) })
	require.FileExists(t, cutaway, "make build makes it")
	l, err := sandbox.New(state)
	require.NoError(t, err)
	store, err := image.Open(l.Dirs.Images())
	require.NoError(t, err)
	for _, s := range All {
		t.Run(s.Slug, func(t *testing.T) {
			before, err := inspect.Take(context.Background(), l.Scope())
			require.NoError(t, err)
			var text bytes.Buffer
			show := trace.NewText(&text, trace.TextOptions{Width: 80})
			var surprises []string
			var shown []trace.Event
			l.Emit = func(e trace.Event) {
				show.Emit(e)
				shown = append(shown, e)
				for _, kind := range e.Unexpected {
					surprises = append(surprises, e.Op+" changed "+string(kind))
				}
				for _, kind := range e.Missing {
					surprises = append(surprises, e.Op+" left "+string(kind)+" as it was")
				}
			}
			r := Runner{Lab: l, Store: store, Program: cutaway}
			err = r.Run(context.Background(), s)
			if os.Getenv("CUTAWAY_SHOW") != "" || t.Failed() || err != nil || len(surprises) > 0 {
				t.Log("\n" + text.String())
			}
			var lacks *LacksError
			if errors.As(err, &lacks) {
				t.Skip(lacks.Error())
			}
			require.NoError(t, err)
			require.Empty(t, surprises)
			requireRefuted(t, s.Slug, shown)
			after, err := inspect.Take(context.Background(), l.Scope())
			require.NoError(t, err)
			require.Empty(t, inspect.Compare(before, after), "the host is not what it was")
		})
	}
}
