package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// jail is a root file system with nothing but the probe in it.
func jail(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	binary, err := os.ReadFile(probe)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "probe"), binary, 0o755))
	return dir
}

// onlyProbe asserts that the escape left no directory behind.
func onlyProbe(t *testing.T, dir string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(dir, "probe-escape-*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// ways are those out of a chroot.
var ways = [][]string{{"escape"}, {"escape", "fd"}}

func TestEscapeFromChroot(t *testing.T) {
	needRoot(t)
	dir := jail(t)
	for _, way := range ways {
		cmd := exec.Command("/probe", way...)
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: dir}
		out, status := outcomeOf(t, cmd)
		require.Zero(t, status, out)
		inside, err := identify(dir)
		require.NoError(t, err)
		outside, err := identify("/")
		require.NoError(t, err)
		require.Contains(t, out, "root before: "+inside.String()+"\n")
		require.Contains(t, out, "root after:  "+outside.String()+"\n")
		require.Contains(t, out, "escaped: yes\n")
		require.Equal(t, len(way) == 2, strings.Contains(out, "fchdir"))
		onlyProbe(t, dir)
	}
}

// bwrap pivots its root and keeps CAP_SYS_CHROOT when asked to.
func TestNoEscapeAfterPivotRoot(t *testing.T) {
	needRoot(t)
	dir := jail(t)
	for _, way := range ways {
		out, status := outcomeOf(t, exec.Command("bwrap", append([]string{"--bind", dir, "/", "--cap-add", "ALL", "/probe"}, way...)...))
		require.Equal(t, 1, status, out)
		require.Contains(t, out, "escaped: no: the top of this mount namespace")
		onlyProbe(t, dir)
	}
}

func TestNoEscapeWithoutCapSysChroot(t *testing.T) {
	needRoot(t)
	cmd := nobody("escape")
	cmd.Dir = "/tmp"
	out, status := outcomeOf(t, cmd)
	require.Equal(t, 1, status, out)
	require.Contains(t, out, "EPERM: operation not permitted")
	onlyProbe(t, "/tmp")
}
