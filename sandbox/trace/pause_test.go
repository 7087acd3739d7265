package trace

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cutaway/sandbox/sys"
)

func preview() Preview {
	return Preview{Stage: "02-mount", Step: 2, Of: 4, Where: "init", PID: 4242,
		Why:   "a new mount namespace is a copy that still shares its peers: without this our mounts would appear on the host",
		Calls: []sys.Call{call("mount", 0, "NULL", `"/"`, "NULL", "MS_REC|MS_PRIVATE", "NULL")},
		Shell: "mount --make-rprivate /",
		Watch: []string{"sudo ls -l /proc/4242/ns", "sudo cutaway inspect 4242"}}
}

func TestAskShowsTheStep(t *testing.T) {
	var out bytes.Buffer
	p := NewPrompter(strings.NewReader("x\n?\n\n"), &out, TextOptions{})
	d, err := p.Ask(context.Background(), preview())
	require.NoError(t, err)
	require.Equal(t, Go, d)
	golden(t, "pause.txt", out.Bytes())
}

// Everything typed ahead is answered in order; the end of the input is Quit.
func TestAskLosesNoInput(t *testing.T) {
	p := NewPrompter(strings.NewReader("\n b \nSHELL\nnonsense\n\nb"), io.Discard, TextOptions{})
	for i, want := range []Decision{Go, Back, Shell, Go, Back, Quit, Quit} {
		got, err := p.Ask(context.Background(), preview())
		require.NoError(t, err)
		require.Equal(t, want, got, "answer %d", i)
	}
}

// countingReader says how many reads it was asked for.
type countingReader struct {
	io.Reader
	reads chan struct{}
}

func (c countingReader) Read(p []byte) (int, error) {
	c.reads <- struct{}{}
	return c.Reader.Read(p)
}

// Between two questions nobody reads, so that a shell inside gets what is typed.
func TestAskReadsOnlyWhileItAsks(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	reads := make(chan struct{}, 10)
	p := NewPrompter(countingReader{r, reads}, io.Discard, TextOptions{})
	time.Sleep(20 * time.Millisecond)
	require.Empty(t, reads, "before the first question")
	go io.WriteString(w, "s\n")
	d, err := p.Ask(context.Background(), preview())
	require.NoError(t, err)
	require.Equal(t, Shell, d)
	time.Sleep(20 * time.Millisecond)
	require.Len(t, reads, 1, "after the answer")
}

func TestAskReturnsWhenInterrupted(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	p := NewPrompter(r, io.Discard, TextOptions{})
	cause := errors.New("interrupt")
	ctx, cancel := context.WithCancelCause(context.Background())
	time.AfterFunc(20*time.Millisecond, func() { cancel(cause) })
	start := time.Now()
	d, err := p.Ask(ctx, preview())
	require.ErrorIs(t, err, cause)
	require.Equal(t, Quit, d)
	require.Less(t, time.Since(start), 5*time.Second)

	// A line that comes after all answers the next question.
	go io.WriteString(w, "b\n")
	d, err = p.Ask(context.Background(), preview())
	require.NoError(t, err)
	require.Equal(t, Back, d)
}

// Between two questions a person may only be waited for: a line, the end of the
// input and an interrupt all let it go on.
func TestWait(t *testing.T) {
	var out bytes.Buffer
	p := NewPrompter(strings.NewReader("\nb"), &out, TextOptions{})
	p.Wait(t.Context(), "see")
	d, err := p.Ask(t.Context(), preview())
	require.NoError(t, err)
	require.Equal(t, Back, d, "one line for each")
	p.Wait(t.Context(), "go on")
	require.Contains(t, out.String(), "\n   [Enter] see ")
	require.Regexp(t, `\n   \[Enter\] go on \n$`, out.String())

	r, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	NewPrompter(r, io.Discard, TextOptions{}).Wait(ctx, "see")
}

func TestAskPassesOnReadErrors(t *testing.T) {
	r, w := io.Pipe()
	w.CloseWithError(errors.New("input/output error"))
	d, err := NewPrompter(r, io.Discard, TextOptions{}).Ask(context.Background(), preview())
	require.ErrorContains(t, err, "input/output error")
	require.Equal(t, Quit, d)
}

func TestNowWhy(t *testing.T) {
	require.Equal(t, "now, before sethostname", nowWhy("before sethostname"))
	require.Equal(t, "now: mounts are shared", nowWhy("mounts are shared"))
	require.Equal(t, "now that init is in its group", nowWhy("now that init is in its group"))
}
