package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cutaway/sandbox/features"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
)

// known is a package manager that has everything.
type known struct {
	system  System
	lacking string
	err     error
}

func (k known) Manager() System { return k.system }

func (k known) Lacking(context.Context, string) (string, error) { return k.lacking, k.err }

func (k known) Install(_ context.Context, group string) (string, error) {
	return fmt.Sprintf("%s: install %s", k.system, group), k.err
}

// guests are microVMs in which all is well, or not.
type guests struct{ emulator, kernel, kvm error }

func (g guests) Emulator() (string, error) { return "/usr/bin/qemu", g.emulator }

func (g guests) Kernel(context.Context) (string, error) { return "Linux 6.12", g.kernel }

func (g guests) KVM(context.Context) (string, error) { return "guests come up under it", g.kvm }

// here is this machine, seen by root or by somebody else.
func here(t *testing.T, euid int) Machine {
	t.Helper()
	f, err := features.Detect()
	require.NoError(t, err)
	f.EUID = euid
	return Machine{Features: f, Root: "/", State: t.TempDir(), Cache: t.TempDir(), Packages: known{system: debian}, Guests: guests{}}
}

// recorded is a machine that testdata/record.sh was run on, with some files
// changed: "proc/1/comm=systemd", or removed: "proc/kallsyms".
func recorded(t *testing.T, name string, changes ...string) Machine {
	t.Helper()
	archive, err := txtar.ParseFile(filepath.Join("testdata", name+".txtar"))
	require.NoError(t, err)
	root := t.TempDir()
	for _, f := range archive.Files {
		write(t, root, f.Name, strings.TrimSuffix(string(f.Data), "\n"))
	}
	for _, change := range changes {
		file, content, changed := strings.Cut(change, "=")
		if changed {
			write(t, root, file, content)
		} else {
			require.NoError(t, os.RemoveAll(filepath.Join(root, file)))
		}
	}
	f, err := features.DetectIn(root)
	require.NoError(t, err)
	f.EUID = 0
	return Machine{Features: f, Root: root, State: t.TempDir(), Cache: t.TempDir(), Packages: known{system: debian}, Guests: guests{}}
}

func write(t *testing.T, root, name, content string) {
	t.Helper()
	path := filepath.Join(root, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	if filepath.Base(filepath.Dir(path)) == "ns" {
		_ = os.Remove(path) // there may be none yet
		require.NoError(t, os.Symlink(content, path))
		return
	}
	if name == "proc/1/environ" {
		content = strings.ReplaceAll(content, "\n", "\x00")
	}
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
}

// only gives the finding of one check.
func only(t *testing.T, m Machine, check string) Finding {
	t.Helper()
	var found []Finding
	for _, f := range Examine(t.Context(), m) {
		if f.Check == check {
			found = append(found, f)
		}
	}
	require.Len(t, found, 1, check)
	return found[0]
}

// TestProblems provokes each finding, on machines as they were recorded and made
// worse: what is found, and the command that repairs it.
func TestProblems(t *testing.T) {
	const release = "6.1.0-56-cloud-amd64"
	noModules := []string{"lib/modules"}
	wsl := "proc/sys/kernel/osrelease=6.6.87.2-microsoft-standard-WSL2"
	for _, c := range []struct {
		name       string
		machine    Machine
		check      string
		level      Level
		found, fix string
	}{
		{"v1", recorded(t, "v1"), "control groups", Limited, "v1, with memory cpu pids io freezer", "&systemd.unified_cgroup_hierarchy=1 /"},
		{"hybrid", recorded(t, "hybrid"), "control groups", Limited, "hybrid, with", "systemd.unified_cgroup_hierarchy=1"},
		{"none", recorded(t, "nocgroup"), "control groups", Limited, "no hierarchy is mounted", "sudo mount -t cgroup2 cgroup2 /sys/fs/cgroup"},
		{"few controllers", recorded(t, "microvm", "sys/fs/cgroup/cgroup.controllers=cpu memory"), "control groups", Limited, "v2, with memory cpu freezer", "reboot"},
		{"container", recorded(t, "container"), "surroundings", Limited, "inside a container: its user namespace is not the first, user:[", "cutaway tour --in vm"},
		{"docker", recorded(t, "microvm", ".dockerenv=", "proc/self/ns/pid=pid:[4026532500]"), "surroundings", Limited, "/.dockerenv, which docker makes", "leave the container"},
		{"podman", recorded(t, "microvm", "run/.containerenv=", "proc/self/ns/uts=uts:[4026532500]"), "surroundings", Limited, "/run/.containerenv, which podman makes", "leave the container"},
		{"nspawn", recorded(t, "microvm", "proc/1/environ=A=b\ncontainer=systemd-nspawn", "proc/self/ns/pid=pid:[4026532500]"), "surroundings", Limited, "process 1 has container=systemd-nspawn", "leave the container"},
		{"user namespace", recorded(t, "userns"), "surroundings", Limited, "its user namespace is not the first", "leave the container"},
		{"capability taken", recorded(t, "container"), "privileges", Broken, "root without CAP_SYS_ADMIN", "cutaway tour --in vm"},
		{"no modules", recorded(t, "microvm", noModules...), "overlay", Broken, "neither in the kernel nor among its modules", "apt: install kernel && sudo reboot"},
		{"no veth", recorded(t, "microvm", "lib/modules/"+release+"/veth.ko"), "veth", Limited, "neither in the kernel", "install kernel"},
		{"other modules", recorded(t, "microvm", "lib/modules", "lib/modules/6.1.0-57-cloud-amd64/modules.dep="), "bridge", Limited, "neither", "sudo reboot: the modules here are of another kernel"},
		{"no kallsyms", recorded(t, "microvm", append(noModules, "proc/kallsyms")...), "nf_tables", Limited, "not known: /proc/kallsyms cannot be read", "sudo cutaway doctor"},
		{"WSL2, v1", recorded(t, "hybrid", wsl), "control groups", Limited, "hybrid", `.wslconfig below [wsl2]: kernelCommandLine = cgroup_no_v1=all; then: wsl --shutdown`},
		{"WSL2, modules", recorded(t, "microvm", append(noModules, wsl)...), "overlay", Broken, "neither", "wsl --update"},
		{"WSL2, no KVM", with(recorded(t, "microvm", wsl), guests{kvm: os.ErrNotExist}), "KVM", Limited, "file does not exist", "nestedVirtualization = true"},
		{"no QEMU", with(recorded(t, "microvm"), guests{emulator: errors.New("no qemu on PATH")}), "emulator", Broken, "no qemu on PATH", "apt: install vm"},
		{"no guest kernel", with(recorded(t, "microvm"), guests{kernel: errors.New("no kernel")}), "guest kernel", Broken, "no kernel", "apt: install kernel"},
		{"root's kernel", with(recorded(t, "microvm", "boot/vmlinuz-6.8.0-60-generic="), guests{kernel: errors.New("no kernel")}), "guest kernel", Broken, "no kernel", "sudo chmod a+r /boot/vmlinuz-*"},
		{"not in group kvm", with(recorded(t, "microvm"), guests{kvm: os.ErrPermission}), "KVM", Limited, "permission denied", "sudo usermod -aG kvm $USER"},
		{"KVM broken", with(recorded(t, "microvm"), guests{kvm: &NoGuestError{"a guest does not come up"}}), "KVM", Limited, "a guest does not come up", "its host would have to let it nest"},
		{"Intel without KVM", with(recorded(t, "microvm", "proc/cpuinfo=flags : fpu vmx sse"), guests{kvm: os.ErrNotExist}), "KVM", Limited, "", "sudo modprobe kvm_intel"},
		{"AMD without KVM", with(recorded(t, "microvm", "proc/cpuinfo=flags : fpu svm sse"), guests{kvm: os.ErrNotExist}), "KVM", Limited, "", "sudo modprobe kvm_amd"},
		{"no virtualization", with(recorded(t, "microvm", "proc/cpuinfo=flags : fpu sse"), guests{kvm: os.ErrNotExist}), "KVM", Limited, "", "in the firmware"},
		{"userns by Debian", recorded(t, "microvm", "proc/sys/kernel/unprivileged_userns_clone=0"), "setting", Limited, "kernel.unprivileged_userns_clone is 0", "kernel.unprivileged_userns_clone=1 | sudo tee -a"},
		{"userns by AppArmor", recorded(t, "microvm", "proc/sys/kernel/apparmor_restrict_unprivileged_userns=1"), "setting", Limited, "kernel.apparmor_restrict_unprivileged_userns is 1", "kernel.apparmor_restrict_unprivileged_userns=0"},
		{"userns by number", recorded(t, "microvm", "proc/sys/user/max_user_namespaces=0"), "setting", Broken, "user.max_user_namespaces is 0", "user.max_user_namespaces=10000"},
		{"netns by number", recorded(t, "microvm", "proc/sys/user/max_net_namespaces=0"), "setting", Broken, "user.max_net_namespaces is 0", "user.max_net_namespaces=10000"},
		{"no user namespaces", recorded(t, "microvm", "proc/self/ns/user"), "namespaces", Limited, "only mnt uts pid", "cutaway tour --in vm"},
		{"no pid namespaces", recorded(t, "microvm", "proc/self/ns/pid"), "namespaces", Broken, "only mnt uts ipc", "cutaway tour --in vm"},
		{"old kernel", recorded(t, "microvm", "proc/sys/kernel/osrelease=4.19.0-27-amd64"), "kernel", Broken, "Linux 4.19", "cutaway tour --in vm"},
		{"before 6.3", recorded(t, "microvm"), "kernel", Limited, "Linux 6.1", "newer kernel"},
		{"a program missing", packaged(recorded(t, "microvm"), known{system: alpine, lacking: "modprobe"}), "programs", Limited, "not here: modprobe", "apk: install lab"},
		{"no sh", packaged(recorded(t, "microvm"), known{system: debian, err: errors.New("no sh")}), "programs", Limited, "no sh", "install by hand"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := only(t, c.machine, c.check)
			require.Equal(t, c.level, f.Level, f.Found)
			require.Contains(t, f.Found, c.found)
			require.NotEmpty(t, f.Cause)
			require.Contains(t, f.Fix, c.fix)
			require.True(t, Sound(Examine(t.Context(), c.machine)), "one of the two places is left")
		})
	}
}

func with(m Machine, g guests) Machine {
	m.Guests = g
	return m
}

func packaged(m Machine, k known) Machine {
	m.Packages = k
	return m
}

// TestFixesOfEachSystem: one problem, repaired where it was found.
func TestFixesOfEachSystem(t *testing.T) {
	for system, fix := range map[System]string{
		debian: `sudo sed -i 's/^GRUB_CMDLINE_LINUX="/&systemd.unified_cgroup_hierarchy=1 /' /etc/default/grub && sudo update-grub && sudo reboot`,
		fedora: "sudo grubby --update-kernel=ALL --args=systemd.unified_cgroup_hierarchy=1 && sudo reboot",
		arch:   "sudo grub-mkconfig -o /boot/grub/grub.cfg && sudo reboot",
		alpine: `echo 'rc_cgroup_mode="unified"' | sudo tee -a /etc/rc.conf && sudo rc-update add cgroups && sudo reboot`,
		macOS:  "make lima",
	} {
		m := packaged(with(recorded(t, "hybrid", "lib/modules"), guests{emulator: errors.New("no qemu")}), known{system: system})
		require.Contains(t, only(t, m, "control groups").Fix, fix, system)
		for _, f := range Examine(t.Context(), m) {
			require.Equal(t, f.Level == Fine, f.Fix == "", "%s: %s", system, f.Check)
		}
		want := string(system) + ": install vm"
		if system == macOS {
			want = onMacOS
		}
		require.Equal(t, want, only(t, m, "emulator").Fix)
	}
}

// TestSomewhere: the lab runs where one of its two places is whole.
func TestSomewhere(t *testing.T) {
	host, neither := recorded(t, "microvm", "lib/modules"), guests{emulator: errors.New("no qemu")}
	require.True(t, Sound(Examine(t.Context(), host)), "in the microVM")
	require.True(t, Sound(Examine(t.Context(), with(recorded(t, "microvm"), neither))), "on the host")
	require.False(t, Sound(Examine(t.Context(), with(host, neither))), "nowhere")
	host.Lab = true
	require.False(t, Sound(Examine(t.Context(), host)), "a lab machine has no other place")
	require.Contains(t, only(t, host, "surroundings").Found, "a lab machine")
}

// TestSoundMachines have nothing to be repaired but their kernel's age.
func TestSoundMachines(t *testing.T) {
	for _, m := range []Machine{recorded(t, "microvm"), recorded(t, "microvm", ".dockerenv=")} {
		for _, f := range Examine(t.Context(), m) {
			require.True(t, f.Level == Fine || f.Check == "kernel", "%s: %s", f.Check, f.Found)
		}
	}
	require.Contains(t, only(t, recorded(t, "microvm", "proc/sys/kernel/osrelease=6.6.87.2-microsoft-standard-WSL2"), "surroundings").Found, "WSL2")
}

// TestEveryProblemHasACause looks at this machine as it is.
func TestEveryProblemHasACause(t *testing.T) {
	for _, euid := range []int{0, 1000} {
		for _, f := range Examine(t.Context(), here(t, euid)) {
			require.NotEmpty(t, f.Found, f.Check)
			require.Equal(t, f.Level == Fine, f.Cause == "", f.Check)
			require.Equal(t, f.Level == Fine, f.Fix == "", f.Check)
		}
	}
}

func TestNotRootIsLimited(t *testing.T) {
	m := here(t, 1000)
	f := only(t, m, "privileges")
	require.Equal(t, Limited, f.Level)
	require.Contains(t, f.Fix, "sudo cutaway tour --in host")
	m.Lab = true
	require.Equal(t, "sudo cutaway tour", only(t, m, "privileges").Fix)
}

// TestState looks at directories that are there, are not yet, and cannot be.
func TestState(t *testing.T) {
	m := here(t, 0)
	m.State = filepath.Join(t.TempDir(), "not", "yet", "there")
	require.Equal(t, Fine, m.state().Level)
	m.State = "/proc/self/state" // nobody can make a directory there
	require.Equal(t, Broken, m.state().Level, m.state().Found)
	require.Contains(t, m.state().Fix, "--state DIR")
}

// TestNoSpace looks at a file system of which all is in use: sysfs has no blocks.
func TestNoSpace(t *testing.T) {
	m := here(t, 0)
	m.State, m.Cache = "/sys/kernel", "/sys/kernel"
	require.Equal(t, Limited, m.space().Level, m.space().Found)
	require.Contains(t, m.space().Found, "0 MiB free")
	require.Contains(t, m.space().Fix, "cutaway rmi")
	require.Contains(t, m.cache().Fix, "XDG_CACHE_HOME")
}

// TestDrivers finds what this kernel has, and not what no kernel has.
func TestDrivers(t *testing.T) {
	found := Machine{Root: "/"}.symbols([]driver{{symbol: "ovl_fill_super"}, {symbol: "cutaway_no_such_symbol"}})
	require.NotNil(t, found)
	require.False(t, found["cutaway_no_such_symbol"])
	require.False(t, Machine{Root: "/"}.loadable("0.0.0-none", "overlay"))
}
