package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// begun is a lab with the log of a container that lives, and the ends of the
// pipes that it prints to.
func begun(t *testing.T) (*Lab, Record, *logger, [2]*os.File) {
	l := &Lab{Dirs: Dirs{Run: t.TempDir(), Data: t.TempDir()}}
	r := Record{ID: "abcdef", Version: journalVersion}
	j, err := newJournal(l.Dirs, r)
	require.NoError(t, err)
	t.Cleanup(func() { j.file.Close() })
	var read, write [2]*os.File
	for i := range read {
		read[i], write[i], err = os.Pipe()
		require.NoError(t, err)
	}
	log, err := newLogger(l.Dirs.Log(r.ID), read)
	require.NoError(t, err)
	return l, r, log, write
}

// A log keeps the end of what was printed, and no more than two files of it.
func TestLogIsBounded(t *testing.T) {
	l, r, log, write := begun(t)
	const lines = 100_000
	for i := range lines {
		_, err := fmt.Fprintf(write[i%2], "line %d of very many that nobody will ever read\n", i)
		require.NoError(t, err)
	}
	closeAll(write[:])
	require.NoError(t, log.end())
	files, err := filepath.Glob(l.Dirs.Log(r.ID) + "*")
	require.NoError(t, err)
	require.Len(t, files, 2)
	for _, f := range files {
		st, err := os.Stat(f)
		require.NoError(t, err)
		require.LessOrEqual(t, st.Size(), int64(logSize))
	}
	last := map[string]string{}
	count := 0
	require.NoError(t, l.Log(t.Context(), r, -1, false, func(e LogEntry) error {
		last[e.Stream] = string(e.Text)
		count++
		return nil
	}))
	require.Equal(t, "line 99998 of very many that nobody will ever read\n", last["stdout"])
	require.Equal(t, "line 99999 of very many that nobody will ever read\n", last["stderr"])
	require.Greater(t, count, 10_000)
	require.Less(t, count, lines)
}

// Who follows a log gets each byte in its order, also when files change, long
// lines are kept in parts and the last one has no end.
func TestLogFollowed(t *testing.T) {
	l, r, log, write := begun(t)
	line := bytes.Repeat([]byte("0123456789"), 5000)
	line[7], line[8] = 0xff, 0
	const lines, ahead = 80, 10 // not so far that two files are filled before one is read
	read := make(chan struct{}, lines)
	go func() {
		for i := range lines {
			_, _ = write[0].Write(append(line, '\n')) // the test sees what is missing
			for n := 0; i%ahead == 0 && n < min(i, ahead); n++ {
				<-read
			}
		}
		_, _ = write[0].WriteString("and so on")
		closeAll(write[:])
		_ = log.end()
		_ = os.RemoveAll(filepath.Dir(log.path)) // as the container's end does
	}()
	var got bytes.Buffer
	require.NoError(t, l.Log(t.Context(), r, -1, true, func(e LogEntry) error {
		got.Write(e.Text)
		if bytes.HasSuffix(e.Text, []byte("\n")) {
			read <- struct{}{}
		}
		return nil
	}))
	require.Equal(t, lines*(len(line)+1)+len("and so on"), got.Len())
	want := append(bytes.Repeat(append(line, '\n'), lines), "and so on"...)
	require.True(t, bytes.Equal(want, got.Bytes()), "other bytes")
}

// A log that cannot be written stops nobody.
func TestLogFull(t *testing.T) {
	_, _, log, write := begun(t)
	log.mu.Lock()
	log.file.Close()
	log.mu.Unlock()
	for range 10_000 {
		_, err := fmt.Fprintln(write[0], "a line")
		require.NoError(t, err)
	}
	closeAll(write[:])
	require.ErrorContains(t, log.end(), "write log ")
}
