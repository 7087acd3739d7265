package vm

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// machine is a PATH with the tools every distribution has and one package
// manager, a script that writes down what it is asked for.
type machine struct {
	t   *testing.T
	bin string // directory, the whole PATH
	log string
}

func newMachine(t *testing.T, manager string) *machine {
	m := &machine{t: t, bin: t.TempDir(), log: filepath.Join(t.TempDir(), "log")}
	for _, tool := range []string{"awk", "cat", "cut", "env", "id", "mktemp", "rm", "sed", "sort", "tail", "timeout", "tr", "uname"} {
		path, err := exec.LookPath(tool)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(path, filepath.Join(m.bin, tool)))
	}
	m.program(manager, `echo "`+manager+` $*" >>`+m.log)
	// For those who do not test as root; root does not call it.
	m.program("sudo", `exec "$@"`)
	return m
}

// program puts a script on the machine's PATH.
func (m *machine) program(name, script string) {
	require.NoError(m.t, os.WriteFile(filepath.Join(m.bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
}

// run runs the script on the machine: what it prints, and its exit status.
func (m *machine) run(args ...string) (out string, status int) {
	m.t.Helper()
	cmd := exec.Command("/bin/sh", append([]string{"./packages.sh"}, args...)...)
	cmd.Env = []string{"PATH=" + m.bin}
	b, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		m.t.Fatal(err)
	}
	return string(b), cmd.ProcessState.ExitCode()
}

func (m *machine) asked() string {
	b, err := os.ReadFile(m.log)
	if !os.IsNotExist(err) {
		require.NoError(m.t, err)
	}
	return string(b)
}

func TestInstallAsksEachPackageManagerInItsOwnWords(t *testing.T) {
	for manager, want := range map[string]string{
		"apt-get": "apt-get update -qq\n" +
			"apt-get install -qq -y --no-install-recommends -o DPkg::Lock::Timeout=120",
		"dnf":    "dnf install -q -y --setopt=install_weak_deps=False",
		"apk":    "apk add -q",
		"pacman": "pacman -S -q --needed --noconfirm",
	} {
		m := newMachine(t, manager)
		out, status := m.run("install", "test")
		require.Zero(t, status, out)
		require.Contains(t, m.asked(), want+" ")
		require.Regexp(t, ` crun\b.* strace\b`, m.asked())
		require.NotContains(t, m.asked(), " - ")
		require.Equal(t, manager == "dnf" || manager == "pacman",
			strings.Contains(out, "umoci: not packaged for "+manager), out)
	}
}

// Homebrew belongs to its user, and macOS has no timeout(1).
func TestHomebrew(t *testing.T) {
	m := newMachine(t, "brew")
	m.program("sudo", "echo sudo was called; exit 1")
	require.NoError(t, os.Remove(filepath.Join(m.bin, "timeout")))
	out, status := m.run("name", "lima")
	require.Zero(t, status, out)
	require.Equal(t, "brew install lima\n", out)
	out, status = m.run("install", "lima")
	require.Zero(t, status, out)
	require.Equal(t, "brew install -q lima\n", m.asked())
	out, status = m.run("name", "vm")
	require.Equal(t, 3, status)
	require.Contains(t, out, "not packaged for brew")
}

// A plugin is no program: its file is looked for.
func TestFileInPlaceOfProgram(t *testing.T) {
	m := newMachine(t, "apt-get")
	script, err := os.ReadFile("packages.sh")
	require.NoError(t, err)
	dir := t.TempDir()
	own := filepath.Join(dir, "packages.sh")
	require.NoError(t, os.WriteFile(own, []byte(strings.Replace(string(script), "/usr/share/vagrant*", dir+"/vagrant*", 1)), 0o644))
	missing := func() string {
		cmd := exec.Command("/bin/sh", own, "missing", "test-vagrant")
		cmd.Env = []string{"PATH=" + m.bin}
		out, err := cmd.Output()
		require.NoError(t, err)
		return string(out)
	}
	require.Contains(t, missing(), "libvirt.json")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "vagrant-1/plugins.d"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "vagrant-1/plugins.d/vagrant-libvirt.json"), nil, 0o644))
	require.NotContains(t, missing(), "libvirt.json")
	require.Contains(t, missing(), "virsh")
}

func TestInstallTouchesNothingWhenAllIsThere(t *testing.T) {
	m := newMachine(t, "apt-get")
	m.program("bwrap", "")
	m.program("unshare", "")
	m.program("crun", "")
	out, status := m.run("install", "bench")
	require.Zero(t, status, out)
	require.NotContains(t, m.asked(), "bubblewrap")
	m.program("runc", "")
	require.NoError(t, os.RemoveAll(m.log))
	out, status = m.run("install", "bench")
	require.Zero(t, status, out)
	require.Empty(t, out)
	require.Empty(t, m.asked())
	out, status = m.run("check", "bench")
	require.Zero(t, status, out)
}

// The static busybox has another name on Alpine; either will do.
func TestAlternativePrograms(t *testing.T) {
	m := newMachine(t, "apk")
	out, status := m.run("missing", "busybox")
	require.Zero(t, status)
	require.Equal(t, "busybox|busybox.static", out)
	m.program("busybox.static", "")
	out, status = m.run("missing", "busybox")
	require.Zero(t, status)
	require.Empty(t, out)
}

func TestCheckNamesWhatIsMissing(t *testing.T) {
	m := newMachine(t, "apt-get")
	out, status := m.run("check", "bench")
	require.Equal(t, 1, status)
	require.Contains(t, out, "packages: not on PATH: bwrap crun")
	require.Contains(t, out, "hint: sudo apt-get install -y --no-install-recommends bubblewrap crun runc util-linux\n")
}

func TestInstallShowsWhyItFailed(t *testing.T) {
	m := newMachine(t, "dnf")
	m.program("dnf", "echo Error: no such mirror; exit 7")
	out, status := m.run("install", "bench")
	require.Equal(t, 1, status)
	require.Contains(t, out, "Error: no such mirror\n")
	require.Contains(t, out, "exit status 7")
}

// One package is called differently on two distributions with one manager.
func TestPackageByWhatIsThere(t *testing.T) {
	m := newMachine(t, "apt-get")
	out, status := m.run("name", "kernel")
	require.Zero(t, status, out)
	require.Contains(t, out, " linux-image-cloud-")
	m.program("apt-cache", "[ $2 = linux-image-virtual ]")
	out, status = m.run("name", "kernel")
	require.Zero(t, status, out)
	require.Contains(t, out, " linux-image-virtual\n")
}

func TestUsageErrors(t *testing.T) {
	m := newMachine(t, "apt-get")
	for _, args := range [][]string{{}, {"install"}, {"remove", "test"}, {"install", "nonsense"}, {"name", "nonsense"}} {
		out, status := m.run(args...)
		require.Equal(t, 2, status, "%q: %s", args, out)
		require.Contains(t, out, "groups: build busybox lab hand compare test bench box lima test-vagrant test-arm64 vm kernel")
	}
}

func TestUnknownDistribution(t *testing.T) {
	m := newMachine(t, "emerge")
	out, status := m.run("name", "bench")
	require.Equal(t, 3, status)
	require.Contains(t, out, "no apt-get, dnf, apk, pacman or brew here")
	require.Contains(t, out, "needed: bwrap unshare runc crun")
}

func TestGoMustBeNewEnough(t *testing.T) {
	m := newMachine(t, "apt-get")
	m.program("make", "")
	m.program("git", "")
	out, status := m.run("check", "build")
	require.Equal(t, 3, status)
	require.Contains(t, out, "go: not on PATH")
	for version, want := range map[string]int{
		"GOVERSION=go1.19.8 GOTOOLCHAIN=":       3, // Debian 12's
		"GOVERSION=go1.22.1 GOTOOLCHAIN=local":  3,
		"GOVERSION=go1.22.1 GOTOOLCHAIN=auto":   0, // fetches the release it needs
		"GOVERSION=go1.99.0 GOTOOLCHAIN=local":  0,
		"GOVERSION=go1.100.0 GOTOOLCHAIN=local": 0,
	} {
		m.program("go", version+`; eval echo "\$$2"`)
		out, status := m.run("check", "build")
		require.Equal(t, want, status, "%s: %s", version, out)
	}
}

// The same through the embedded copy, on the machine at hand.
func TestInstallCommand(t *testing.T) {
	m := newMachine(t, "apk")
	t.Setenv("PATH", m.bin+":"+os.Getenv("PATH"))
	_, err := InstallCommand(context.Background(), "nonsense")
	require.ErrorContains(t, err, "no group nonsense")
	got, err := InstallCommand(context.Background(), "lab")
	require.NoError(t, err)
	require.Regexp(t, `^sudo .* kmod$`, got)
	_, err = Packages{}.Lacking(context.Background(), "nonsense")
	require.ErrorContains(t, err, "no group nonsense")
	manager, err := Packages{}.Manager(context.Background())
	require.NoError(t, err)
	require.Contains(t, "apt apk", manager) // the machine's own, or that of the test
	got, err = Packages{System: "dnf"}.Install(context.Background(), "lab")
	require.NoError(t, err)
	require.Equal(t, "sudo dnf install -y --setopt=install_weak_deps=False kmod", got)
}
