package kernels

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"cutaway/vm"

	"github.com/stretchr/testify/require"
)

func absolute(t *testing.T, parts ...string) string {
	path, err := filepath.Abs(filepath.Join(parts...))
	require.NoError(t, err)
	require.FileExists(t, path, "make build makes it")
	return path
}

// tools are the programs that tests compare the lab with, or drive the kernel by.
var tools = []string{
	"ip", "bridge", "nft", "ipcmk", "ipcrm", "unshare", "nsenter", "setpriv", "prlimit", "mount", "umount",
	"setfattr", "setcap", "ps", "sysctl", "hostname", "domainname", "strace", "bash",
	"cat", "chmod", "chown", "chroot", "cp", "env", "ln", "mkdir", "mknod", "mkfifo", "rm", "rmdir", "sleep", "tail", "timeout", "touch",
}

// guestFiles are, by their path in the guest: the tests, built to run without
// libraries; their sources, which some of them read; and the host's own tools.
func guestFiles(t *testing.T) map[string]string {
	files := map[string]string{"/src/bin/cutaway": absolute(t, root, "bin/cutaway")}
	for _, s := range suites {
		files["/src/"+s.dir+"/kernel.test"] = buildTest(t, s.dir, runtime.GOARCH)
	}
	tracked, err := exec.CommandContext(t.Context(), "git", "-C", root, "ls-files", "-z", "*.go", "*.md", "*.plan", "*/testdata/*").Output()
	require.NoError(t, err)
	for _, name := range strings.Split(strings.TrimRight(string(tracked), "\x00"), "\x00") {
		if st, err := os.Stat(filepath.Join(root, name)); err == nil && st.Mode().IsRegular() {
			files["/src/"+name] = filepath.Join(root, name)
		}
	}
	for _, name := range tools {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatalf("the test needs %s: vm/packages.sh install test", name)
		}
		addProgram(t, files, "/usr/local/sbin/"+name, path) // first on the guest's PATH
	}
	// busybox's shell prefers its own ip and nft to those above.
	addProgram(t, files, "/bin/sh", "/bin/sh")
	return files
}

// buildTest builds the tests of a package for an architecture.
func buildTest(t *testing.T, dir, arch string) string {
	out := filepath.Join(t.TempDir(), "kernel.test")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-ldflags=-s -w", "-o", out, "./"+dir)
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+arch)
	said, err := build.CombinedOutput()
	require.NoError(t, err, "%s", said)
	return out
}

// addProgram adds a program and the libraries it is linked with.
func addProgram(t *testing.T, files map[string]string, to, path string) {
	more, err := vm.Program(to, path)
	require.NoError(t, err)
	maps.Copy(files, more)
}
