package vm

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// provision runs the script where it can do nothing: in a mount namespace of its
// own, in which no control groups of version 2 are mounted.
func provision(t *testing.T, before string, args ...string) (out string, status int) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	cmd := exec.Command("unshare", append([]string{"--mount", "sh", "-c",
		`mount -t tmpfs tmpfs /sys/fs/cgroup || exit 99; ` + before + ` sh provision.sh "$@"`, "sh"}, args...)...)
	b, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(b), cmd.ProcessState.ExitCode()
}

func TestProvisionIsAskedForByName(t *testing.T) {
	for _, args := range [][]string{{}, {"here"}} {
		out, status := provision(t, "", args...)
		require.Equal(t, 2, status, out)
		require.Contains(t, out, "usage: provision.sh vagrant|lima\nhint: it marks the machine it runs in as disposable: never on your own\n")
	}
	out, status := provision(t, "exec setpriv --reuid=1 --regid=1 --clear-groups", "lima")
	require.Equal(t, 3, status, out)
	require.Contains(t, out, "needs root\nhint: sudo sh provision.sh lima\n")
}

// Without version 2 it stops before it changes anything, and says what to do on
// this kind of system.
func TestProvisionWantsUnifiedControlGroups(t *testing.T) {
	const fact = "provision: control groups: tmpfs is mounted at /sys/fs/cgroup, not cgroup2: the lessons are about version 2\nhint: "
	// systemd is a machine that it runs, with one more program.
	systemd := func(program string) string {
		return "mount -t tmpfs tmpfs /run; mkdir -p /run/systemd/system /run/bin; PATH=/run/bin:$PATH; printf '#!/bin/sh\n' >/run/bin/" +
			program + "; chmod +x /run/bin/" + program + ";"
	}
	for before, hint := range map[string]string{
		systemd("grubby"):              "sudo grubby --update-kernel=ALL --args=systemd.unified_cgroup_hierarchy=1 && sudo reboot",
		systemd("update-grub"):         `sudo sed -i 's/^GRUB_CMDLINE_LINUX="/&systemd.unified_cgroup_hierarchy=1 /' /etc/default/grub && sudo update-grub && sudo reboot`,
		"mount -t tmpfs tmpfs /run;":   "sudo mount -t cgroup2 cgroup2 /sys/fs/cgroup",
		systemd("none") + "PATH=/bin;": "add systemd.unified_cgroup_hierarchy=1 to the kernel's command line in the boot loader, and reboot",
	} {
		out, status := provision(t, before, "vagrant")
		require.Equal(t, 3, status, out)
		require.Equal(t, fact+hint+"\n", out)
		_, err := os.Stat("/etc/profile.d/cutaway.sh")
		require.ErrorIs(t, err, os.ErrNotExist)
	}
}

// TestLima: what limactl validate cannot know. (That lima.yaml is valid it has
// said; docs/machines.md.)
func TestLima(t *testing.T) {
	b, err := os.ReadFile("lima.yaml")
	require.NoError(t, err)
	yaml := string(b)
	for _, arch := range []string{"amd64.qcow2\n  arch: x86_64\n", "arm64.qcow2\n  arch: aarch64\n"} {
		require.Contains(t, yaml, arch)
	}
	require.Contains(t, yaml, "mountPoint: /opt/cutaway\n")
	vagrantfile, err := os.ReadFile("../Vagrantfile")
	require.NoError(t, err)
	require.Contains(t, string(vagrantfile), "sh /opt/cutaway/vm/provision.sh vagrant")
	scripts := regexp.MustCompile(`(?m)^ *script: \|\n((?:    .*\n)+)`).FindAllStringSubmatch(yaml, -1)
	require.Len(t, scripts, 2)
	require.Contains(t, scripts[0][1], "exec sh /opt/cutaway/vm/provision.sh lima\n")
	for _, script := range scripts {
		cmd := exec.Command("sh", "-n")
		cmd.Stdin = strings.NewReader(script[1])
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
}
