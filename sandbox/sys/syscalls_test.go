package sys

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestSyscallNumber(t *testing.T) {
	for name, want := range map[string]int{
		"read": unix.SYS_READ, "mount": unix.SYS_MOUNT, "clone3": unix.SYS_CLONE3, "accept": unix.SYS_ACCEPT, "accept4": unix.SYS_ACCEPT4,
	} {
		got, ok := SyscallNumber(name)
		require.True(t, ok, name)
		require.Equal(t, want, got, name)
	}
	for _, name := range []string{"", "moun", "zzz", "READ"} {
		_, ok := SyscallNumber(name)
		require.False(t, ok, name)
	}
	for i, c := range syscalls { // the search relies on their order
		n, ok := SyscallNumber(c.name)
		require.True(t, ok && n == int(syscalls[i].number), c.name)
	}
}

// The tables are what the generator writes.
func TestSyscallTablesAreFresh(t *testing.T) {
	dir := t.TempDir()
	out, err := exec.Command("go", "run", "gensyscalls.go", dir).CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, file := range []string{"syscalls_amd64.go", "syscalls_arm64.go"} {
		want, err := os.ReadFile(filepath.Join(dir, file))
		require.NoError(t, err)
		got, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got))
	}
}
