package sandbox

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"cutaway/sandbox/event"
	"cutaway/sandbox/plan"

	"github.com/stretchr/testify/require"
)

// TestLinksLeadNowhereElse runs an image whose links climb above its root, while
// the host's root is still stacked there: no mount point is made on the host.
func TestLinksLeadNowhereElse(t *testing.T) {
	lab := newLab(t)
	host := t.TempDir() // of the same name inside, after it was made there
	up := strings.Repeat("../", 20) + host
	for _, dir := range []string{"etc", "dev", "sys", "srv"} {
		at := filepath.Join(lab.tree, dir)
		require.NoError(t, os.RemoveAll(at))
		require.NoError(t, os.Symlink(up+"/"+dir, at))
	}
	for _, dir := range []string{host, filepath.Dir(host), filepath.Dir(filepath.Dir(host))} {
		require.NoError(t, os.Chmod(dir, 0o777)) // whoever gets there could write
	}
	spec := lab.spec("/bin/sh", "-c", "[ -d "+host+"/srv/mem ] && [ -d /srv/dir ] && [ -f /srv/file ] && [ -c /dev/null ] && [ -f /etc/hosts ] && ! touch /srv/dir/x")
	spec.Mounts = []plan.Mount{
		{Type: "bind", Source: t.TempDir(), Destination: "/srv/dir", Readonly: true},
		{Type: "bind", Source: "/etc/hostname", Destination: "/srv/file", File: true},
		{Type: "tmpfs", Destination: "/srv/mem"},
	}
	exit, err := Run(t.Context(), lab.Lab, spec, null(t), false)
	require.NoError(t, err)
	require.Zero(t, exit.Status())
	made, err := os.ReadDir(host)
	require.NoError(t, err)
	require.Empty(t, made)
}

// TestShellGivesTheTerminalBack has init killed while somebody has a shell in the
// midst of building: who is asked what to do then has the terminal, and nobody else.
func TestShellGivesTheTerminalBack(t *testing.T) {
	lab := newLab(t)
	o := null(t)
	var back atomic.Bool
	init := 0
	o.Relay = func(_ context.Context, master *os.File) error {
		err := syscall.Kill(init, syscall.SIGKILL)
		_, _ = io.Copy(io.Discard, master) // EIO is its end
		time.Sleep(100 * time.Millisecond)
		back.Store(true)
		return err
	}
	asked := false
	o.Watch, o.Pause = true, func(_ context.Context, next event.Preview) (event.Decision, error) {
		switch {
		case next.PID == 0:
			return event.Go, nil // there is no inside yet
		case init == 0:
			init = next.PID
			return event.Shell, nil
		}
		asked = true
		require.True(t, back.Load())
		return event.Quit, nil
	}
	_, err := Run(t.Context(), lab.Lab, lab.spec("/bin/true"), o, false)
	require.ErrorIs(t, err, ErrQuit)
	require.True(t, asked)
}
