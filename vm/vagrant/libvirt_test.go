package vagrant

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// startLibvirt starts libvirt's daemons where no service manager has, and ends
// them after the test, by the process ids that they have written down.
func startLibvirt(t *testing.T) {
	t.Helper()
	if virsh("version") == nil {
		return
	}
	require.NoError(t, os.MkdirAll("/run/libvirt", 0o755))
	dir := t.TempDir()
	for _, daemon := range []string{"virtlogd", "libvirtd"} {
		file := filepath.Join(dir, daemon+".pid")
		out, err := exec.CommandContext(t.Context(), daemon, "--daemon", "--pid-file", file).CombinedOutput()
		require.NoError(t, err, "%s: %s", daemon, out)
		t.Cleanup(func() { end(t, file) })
	}
	before := tables()
	t.Cleanup(func() { removeRules(before) })
	require.Eventually(t, func() bool { return virsh("version") == nil }, 30*time.Second, 200*time.Millisecond)
	t.Cleanup(func() {
		for _, network := range []string{"vagrant-libvirt", "default"} {
			_ = virsh("net-destroy", network) // it may not have been up
		}
	})
}

func virsh(args ...string) error {
	_, err := virshSays(args...)
	return err
}

func virshSays(args ...string) (string, error) {
	out, err := exec.Command("virsh", append([]string{"--quiet", "--connect", "qemu:///system"}, args...)...).Output()
	return string(out), err
}

// end ends the daemon that wrote this file, and waits until it is gone.
func end(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(pid, syscall.SIGTERM))
	require.Eventually(t, func() bool { return ended(pid) }, 30*time.Second, 100*time.Millisecond, file)
}

// ended reports whether a process is gone, or waits for nothing but its parent's
// attention: proc_pid_stat(5).
func ended(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

// tables are those of the firewall, each a line: "table ip nat".
func tables() []string {
	out, err := exec.Command("nft", "list", "tables").Output()
	if err != nil {
		return nil // this kernel has none
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// removeRules takes out of the firewall what libvirt leaves there when it ends:
// the tables that iptables made for it, and its chains in those of others.
func removeRules(before []string) {
	for family, program := range map[string]string{"ip": "iptables", "ip6": "ip6tables"} {
		for _, table := range []string{"filter", "nat", "mangle"} {
			if slices.Contains(before, "table "+family+" "+table) {
				removeChains(program, table)
			} else {
				_ = exec.Command("nft", "delete", "table", family, table).Run() // it may not have been made
			}
		}
	}
}

func removeChains(program, table string) {
	rules, err := exec.Command(program, "-w", "-t", table, "-S").Output()
	if err != nil {
		return
	}
	var jumps, flush, remove [][]string
	for line := range strings.Lines(string(rules)) {
		f := strings.Fields(line)
		switch {
		case f[0] == "-N" && strings.HasPrefix(f[1], "LIBVIRT_"):
			flush = append(flush, []string{"-F", f[1]})
			remove = append(remove, []string{"-X", f[1]})
		case f[0] == "-A" && strings.HasPrefix(f[len(f)-1], "LIBVIRT_"):
			jumps = append(jumps, append([]string{"-D"}, f[1:]...))
		}
	}
	for _, args := range slices.Concat(jumps, flush, remove) {
		// What is left if it fails is empty and harms nobody.
		_ = exec.Command(program, append([]string{"-w", "-t", table}, args...)...).Run()
	}
}
