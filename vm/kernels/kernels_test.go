// Package kernels runs the project's kernel tests in microVMs, on one kernel of
// each series the lab supports, under cgroup v2.
//
// Its one invariant: a test that is skipped there has earned it. A skip counts
// only if it names a feature's first kernel and the running one is older; all
// others are failures.
package kernels

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"cutaway/vm"

	"github.com/stretchr/testify/require"
)

// series are the oldest kernel the lab runs on, Debian 12's, and one that has
// all it can use. CUTAWAY_KERNELS names others, or fewer.
var series = []string{"5.10", "6.1", newest}

const newest = "6.12"

// suites are the packages whose tests make kernel objects, and what of them
// takes an emulated machine too long: the tests on this host do that.
var suites = []struct{ dir, skip string }{
	{"sandbox/inspect", ""},
	{"sandbox/op", ""},
	// Kills in more than one stage, and strace of more than one, those where the
	// control groups of v2 are; and what makes no kernel object.
	{"stages", "^(TestPlans|TestCompileIsPure|TestFusedKeepsTheOrder|TestStepsSayWhyAndWhat)$|^TestKilled$/^(0[0-79]|1)|^TestTruth$/^(0|1[1-5])"},
}

const root = "../.."

// memory is for the guest's files as much as for the tests, in MiB.
const memory = 1024

func TestKernels(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Log("no root: none is needed, and none is used")
	}
	wanted := series
	if only := strings.Fields(os.Getenv("CUTAWAY_KERNELS")); len(only) > 0 {
		wanted = only
	}
	files := guestFiles(t)
	for _, s := range wanted {
		t.Run(s, func(t *testing.T) { testKernel(t, s, files) })
	}
}

// testKernel boots one kernel and runs everything there.
func testKernel(t *testing.T, series string, files map[string]string) {
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	defer cancel()
	m, err := vm.Boot(ctx, vm.Config{Kernel: vm.KernelSource{Series: series}, Init: absolute(t, root, "bin/cutaway"), Memory: memory, Files: files})
	require.NoError(t, err)
	defer m.Stop()
	t.Logf("Linux %s, %s, ready after %s", m.Kernel.Version, m.Accel, m.Boot.Round(10*time.Millisecond))
	run := func(t *testing.T, dir string, args ...string) (string, int) {
		var out bytes.Buffer
		status, err := m.Run(ctx, vm.Command{Args: args, Dir: dir, Stdout: &out, Stderr: &out})
		require.NoError(t, err, "%s", &out)
		return out.String(), status
	}
	for _, suite := range suites {
		t.Run(suite.dir, func(t *testing.T) {
			args := []string{"/src/" + suite.dir + "/kernel.test", "-test.v", "-test.short", "-test.timeout=300s"}
			if suite.skip != "" {
				args = append(args, "-test.skip="+suite.skip)
			}
			out, status := run(t, "/src/"+suite.dir, args...)
			earned, wrong := skips(out)
			require.Empty(t, wrong, "skips nobody earned")
			for _, skip := range earned {
				t.Log("skipped:", skip)
			}
			if status != 0 {
				t.Errorf("exit status %d\n%s", status, failures(out))
			}
			t.Logf("%d passed, %d skipped with reason", strings.Count(out, "--- PASS: "), len(earned))
		})
	}
	if series != newest {
		return // the tour is the same stages once more
	}
	t.Run("tour", func(t *testing.T) {
		out, status := run(t, "/root", "cutaway", "tour", "--auto")
		require.Zero(t, status, "%s", out)
		require.Contains(t, out, "as expected\n")
		require.Contains(t, out, "host before = host after: yes")
	})
}

// tooOld is how a typed feature error ends (sandbox/features).
var tooOld = regexp.MustCompile(`requires Linux >= (\d+)\.(\d+), this is (\d+)\.(\d+)`)

// skips sorts what go test -v says of skipped tests. What a test logs stands
// between "=== RUN   name" and the next test.
func skips(out string) (earned, wrong []string) {
	for line := range strings.Lines(out) {
		skipped, ok := strings.CutPrefix(strings.TrimSpace(line), "--- SKIP: ")
		if !ok {
			continue
		}
		name, _, _ := strings.Cut(skipped, " ")
		_, log, _ := strings.Cut(out, "=== RUN   "+name+"\n")
		log, _, _ = strings.Cut(log, "\n=== RUN ")
		// Output that is wrapped says the same.
		why := tooOld.FindString(strings.Join(strings.Fields(log), " "))
		if older(why) {
			earned = append(earned, name+": "+why)
		} else {
			wrong = append(wrong, name+": "+log)
		}
	}
	return earned, wrong
}

// older reports whether a reason names a kernel newer than the running one.
func older(why string) bool {
	var need, is [2]int
	_, err := fmt.Sscanf(why, "requires Linux >= %d.%d, this is %d.%d", &need[0], &need[1], &is[0], &is[1])
	return err == nil && slices.Compare(is[:], need[:]) < 0
}

func TestSkipsAreEarned(t *testing.T) {
	earned, wrong := skips(`=== RUN   TestA
    a_test.go:5: time namespaces not supported (requires Linux >= 6.3, this is 6.1)
--- SKIP: TestA (0.00s)
=== RUN   TestB
    b_test.go:5: a feature (requires Linux >= 5.11, this is 6.1)
--- SKIP: TestB (0.00s)
=== RUN   TestC
    c_test.go:9: no strace
--- SKIP: TestC (0.00s)
=== RUN   TestD
--- PASS: TestD (0.00s)
`)
	require.Equal(t, []string{"TestA: requires Linux >= 6.3, this is 6.1"}, earned)
	require.Len(t, wrong, 2)
	require.Contains(t, wrong[0], "TestB")
	require.Contains(t, wrong[1], "no strace")
}

// failures is the part of a log worth reading.
func failures(out string) string {
	const most = 20000 // bytes
	var kept strings.Builder
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "=== ") && !strings.Contains(line, "--- PASS") {
			kept.WriteString(line)
		}
	}
	s := kept.String()
	return s[max(0, len(s)-most):]
}

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
	built := t.TempDir()
	files := map[string]string{"/src/bin/cutaway": absolute(t, root, "bin/cutaway")}
	for _, suite := range suites {
		out := filepath.Join(built, strings.ReplaceAll(suite.dir, "/", "-"))
		build := exec.CommandContext(t.Context(), "go", "test", "-c", "-ldflags=-s -w", "-o", out, "./"+suite.dir)
		build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
		said, err := build.CombinedOutput()
		require.NoError(t, err, "%s", said)
		files["/src/"+suite.dir+"/kernel.test"] = out
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

// addProgram adds a program and the libraries it is linked with: ldd(1).
func addProgram(t *testing.T, files map[string]string, to, path string) {
	resolved, err := filepath.EvalSymlinks(path)
	require.NoError(t, err)
	files[to] = resolved
	out, err := exec.CommandContext(t.Context(), "ldd", resolved).Output()
	if err != nil {
		return // a static program, or a script
	}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		if i := slices.IndexFunc(words, func(w string) bool { return strings.HasPrefix(w, "/") }); i >= 0 {
			files[words[i]] = words[i]
		}
	}
}
