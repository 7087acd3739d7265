package vm

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func itoa(n int) string { return strconv.Itoa(n) }

func atoi(t *testing.T, s string) int {
	n, err := strconv.Atoi(s)
	require.NoError(t, err)
	return n
}

// A machine that is up serves several at once, until somebody says down.
func TestUp(t *testing.T) {
	ctx, dir := testContext(t), t.TempDir()
	_, err := Connect(dir, DefaultName)
	var not *NotUpError
	require.ErrorAs(t, err, &not)

	// Two at once: one of them wins, the other says so.
	type outcome struct {
		info Info
		err  error
	}
	outcomes := make(chan outcome)
	for range 2 {
		keep := second(t, keepThere+"="+dir)
		go func() {
			info, err := Up(ctx, keep)
			outcomes <- outcome{info, err}
		}()
	}
	first, other := <-outcomes, <-outcomes
	if first.err != nil {
		first, other = other, first
	}
	require.NoError(t, first.err)
	require.ErrorContains(t, other.err, "is up already")
	var advice interface{ Hint() string }
	require.True(t, errors.As(other.err, &advice) && advice.Hint() != "")

	machines, err := List(dir)
	require.NoError(t, err)
	require.Len(t, machines, 1)
	require.Equal(t, first.info.PID, machines[0].PID)

	links := make([]*Link, 2)
	for i := range links {
		links[i], err = Connect(dir, DefaultName)
		require.NoError(t, err)
		defer links[i].Close()
	}
	_, err = links[0].Run(ctx, Command{Args: []string{"touch", "/tmp/seen"}})
	require.NoError(t, err)
	ended := make(chan error)
	go func() {
		_, err := links[0].Run(ctx, Command{Args: []string{"sleep", "42"}})
		ended <- err
	}()
	var out bytes.Buffer
	status, err := links[1].Run(ctx, Command{Args: []string{"ls", "/tmp/seen"}, Stdout: &out})
	require.NoError(t, err)
	require.Zero(t, status)
	require.Equal(t, "/tmp/seen\n", out.String())

	// Whoever leaves takes along what they had going on.
	require.NoError(t, links[0].Close())
	require.ErrorIs(t, <-ended, ErrLost)
	require.Eventually(t, func() bool {
		out.Reset()
		_, err := links[1].Run(ctx, Command{Args: []string{"ps", "-o", "args"}, Stdout: &out})
		return err == nil && !strings.Contains(out.String(), "sleep 42")
	}, 5*time.Second, 20*time.Millisecond)

	require.NoError(t, Down(ctx, dir, DefaultName))
	requireGone(t, first.info)
	machines, err = List(dir)
	require.NoError(t, err)
	require.Empty(t, machines)
	require.ErrorAs(t, Down(ctx, dir, DefaultName), &not)
	require.NoDirExists(t, dir)
}

// Whoever does not wait for a machine any more has none, and nothing of one.
func TestUpGivenUp(t *testing.T) {
	ctx, cancel := context.WithCancel(testContext(t))
	dir := t.TempDir()
	go func() {
		for !up(filepath.Join(dir, DefaultName)) {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	_, err := Up(ctx, second(t, keepThere+"="+dir))
	require.ErrorIs(t, err, context.Canceled)
	require.NoDirExists(t, dir)
}

// A keeper that is killed takes its machine along, and the next to look removes
// what it left.
func TestKeeperKilled(t *testing.T) {
	ctx, dir := testContext(t), t.TempDir()
	info, err := Up(ctx, second(t, keepThere+"="+dir))
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(info.PID, syscall.SIGKILL))
	requireGone(t, info)
	_, err = Connect(dir, DefaultName)
	var not *NotUpError
	require.ErrorAs(t, err, &not)
	machines, err := List(dir)
	require.NoError(t, err)
	require.Empty(t, machines)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}

func requireGone(t *testing.T, i Info) {
	t.Helper()
	for _, pid := range []int{i.PID, i.QEMU} {
		require.Eventually(t, func() bool {
			var ws syscall.WaitStatus
			_, _ = syscall.Wait4(pid, &ws, syscall.WNOHANG, nil) // the keeper is a child of this process
			return syscall.Kill(pid, 0) == syscall.ESRCH
		}, 2*time.Second, time.Millisecond, "process %d lives", pid)
	}
}
