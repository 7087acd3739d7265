package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCallsAreRefusedWithoutCapabilities(t *testing.T) {
	needRoot(t)
	for call, form := range map[string]string{
		"mount":         `mount("tmpfs", "/mnt", "tmpfs", 0, NULL)`,
		"chown /tmp 1":  `fchownat(AT_FDCWD, "/tmp", 1, -1, 0)`,
		"mknod /tmp/p":  `mknodat(AT_FDCWD, "/tmp/p", S_IFCHR|0600, makedev(1, 3))`,
		"sethostname x": `sethostname("x", 1)`,
		"clock_settime": `clock_settime(CLOCK_REALTIME, {now})`,
		"setuid 0":      `setuid(0)`,
		"raw-socket":    `socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)`,
		"chroot /tmp":   `chroot("/tmp")`,
	} {
		out, status := outcomeOf(t, nobody(append([]string{"call"}, strings.Fields(call)...)...))
		require.Equal(t, 1, status, call)
		require.Equal(t, form+" = -1 EPERM (operation not permitted)\n", out)
	}
}

// What root may do is tried in namespaces of its own, and is undone.
func TestCallsSucceedAsRootAndLeaveNothing(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	out, status := outcomeOf(t, inNamespaces(syscall.CLONE_NEWNS|syscall.CLONE_NEWUTS, `
		set -e
		cd `+dir+`
		mkdir point
		touch file
		hostname before
		"$0" call mount point
		"$0" call sethostname after
		"$0" call chown file 77
		"$0" call mknod node
		"$0" call setuid 65534
		"$0" call raw-socket
		"$0" call ptrace
		"$0" call unshare-user
		"$0" call open file
		hostname
		stat -c "%n %u" *
		grep -c `+dir+` /proc/self/mounts || true`))
	require.Zero(t, status, out)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 13, out)
	for _, line := range lines[:9] {
		require.Regexp(t, `^\w+\(.*\) = \d+$`, line)
	}
	require.Equal(t, []string{"before", "file 0", "point 0", "0"}, lines[9:])
}

func TestManyCalls(t *testing.T) {
	needRoot(t)
	out, status := outcomeOf(t, nobody("calls", "mount", "keyctl", "setuid"))
	require.Zero(t, status, out)
	require.Equal(t, "mount EPERM\nkeyctl ok\nsetuid EPERM\n", out)
}

// Without a capability its call is refused, and not with it. Which of them root
// has, and what the kernel was built with, differs; these are everywhere.
func TestLostCapabilities(t *testing.T) {
	needRoot(t)
	out, status := outcomeOf(t, exec.Command(probe, "lost", "files", "processes", "network", "machine"))
	require.Zero(t, status, out)
	rows := 0
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if last := f[len(f)-1]; last == "EPERM" || last == "EACCES" {
			require.NotEqual(t, last, f[len(f)-2], line)
			rows++
		}
	}
	require.Greater(t, rows, 25, out)
	for _, name := range []string{"CHOWN", "DAC_READ_SEARCH", "KILL", "SETPCAP", "SYS_PTRACE", "NET_ADMIN", "SYS_ADMIN", "SYS_TIME", "CHECKPOINT_RESTORE"} {
		require.Regexp(t, `(?m)^`+name+` .*(EPERM|EACCES)$`, out)
	}
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "probe-lost-*"))
	require.NoError(t, err)
	require.Empty(t, left)

	out, status = outcomeOf(t, nobody("lost", "CHOWN"))
	require.Equal(t, 1, status)
	require.Contains(t, out, "operation not permitted", "the scene takes CAP_CHOWN")
}

func TestFilesAreCounted(t *testing.T) {
	out, status := outcomeOf(t, exec.Command("prlimit", "--nofile=64:64", probe, "files", "100"))
	require.Equal(t, 1, status, out)
	require.Regexp(t, `^opened [56]\d of 100, then: openat = -1 EMFILE`, out)
	out, status = outcomeOf(t, exec.Command(probe, "files", "20"))
	require.Zero(t, status, out)
	require.Equal(t, "opened 20 of 20\n", out)
}

// A seccomp filter may kill the caller instead of refusing: then there is no
// result to print. bwrap installs the filter it reads from descriptor 3.
func TestCallReportsTheSignalOfASeccompFilter(t *testing.T) {
	needRoot(t)
	const (
		loadNumber = 0x20       // BPF_LD|BPF_W|BPF_ABS, offset 0: seccomp_data.nr
		jumpEqual  = 0x15       // BPF_JMP|BPF_JEQ|BPF_K
		give       = 0x06       // BPF_RET|BPF_K
		kill       = 0x80000000 // SECCOMP_RET_KILL_PROCESS
		allow      = 0x7fff0000 // SECCOMP_RET_ALLOW
	)
	filter, err := os.Create(filepath.Join(t.TempDir(), "filter"))
	require.NoError(t, err)
	defer filter.Close()
	require.NoError(t, binary.Write(filter, binary.NativeEndian, []struct {
		Code   uint16
		JT, JF uint8
		K      uint32
	}{{loadNumber, 0, 0, 0}, {jumpEqual, 0, 1, syscall.SYS_KEYCTL}, {give, 0, 0, kill}, {give, 0, 0, allow}}))
	_, err = filter.Seek(0, 0)
	require.NoError(t, err)

	cmd := exec.Command("bwrap", "--bind", jail(t), "/", "--seccomp", "3", "/probe", "call", "keyctl")
	cmd.ExtraFiles = []*os.File{filter}
	out, status := outcomeOf(t, cmd)
	require.Equal(t, 1, status, out)
	require.Regexp(t, `^keyctl\(.*\): killed by bad system call\n$`, out)
}

// pivot_root is undone like the rest: what it moves is the root of everybody in
// the mount namespace.
func TestPivotRoot(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	out, status := outcomeOf(t, inNamespaces(syscall.CLONE_NEWNS, `
		mount --make-rprivate /
		mkdir `+dir+`/plain
		"$0" call pivot_root `+dir+`/plain `+dir+`/plain
		mount -t tmpfs new `+dir+`
		mkdir `+dir+`/old
		mount --make-shared `+dir+`
		"$0" call pivot_root `+dir+` `+dir+`/old
		mount --make-private `+dir+`
		"$0" call pivot_root `+dir+` `+dir+`/old
		findmnt -no TARGET,FSTYPE `+dir+`
		ls -A `+dir+` `+dir+`/old`))
	require.Zero(t, status, out)
	require.Regexp(t, `^pivot_root\(.*\) = -1 EBUSY .*\npivot_root\(.*\) = -1 EINVAL .*\npivot_root\(.*\) = 0\n`, out)
	require.Regexp(t, dir+` +tmpfs\n`+dir+":\nold\n\n"+dir+"/old:\n$", out)
}

func TestMountMakesOneCall(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	out, status := outcomeOf(t, inNamespaces(syscall.CLONE_NEWNS, `
		set -e
		mount --make-rprivate /
		cd `+dir+`
		mkdir -p from/below to
		mount -t tmpfs below from/below
		options() { findmnt -no VFS-OPTIONS to; findmnt -no VFS-OPTIONS to/below; }
		"$0" mount bind,rec,rdonly from to; options
		"$0" mount remount,bind,rdonly to; options
		"$0" setattr to || true; options`))
	require.Zero(t, status, out)
	require.Regexp(t, `^mount\("from", "to", NULL, MS_BIND\|MS_REC\|MS_RDONLY, NULL\) = 0\nrw.*\nrw.*\n`+
		`mount\(NULL, "to", NULL, MS_REMOUNT\|MS_BIND\|MS_RDONLY, NULL\) = 0\nro.*\nrw.*\n`+
		`mount_setattr\(AT_FDCWD, "to", AT_RECURSIVE, \{attr_set=MOUNT_ATTR_RDONLY\}, 32\) = (0\nro.*\nro|-1 ENOSYS .*\nro.*\nrw).*\n$`, out)
}

func TestPIDNamespaceTakesOnlyChildrenAndEndsWithTheFirst(t *testing.T) {
	needRoot(t)
	out, status := outcomeOf(t, exec.Command(probe, "pidns"))
	require.Equal(t, 1, status, out)
	require.Regexp(t, `^getpid\(\) = (\d+)\nunshare\(CLONE_NEWPID\) = 0\ngetpid\(\) = \d+\n`+
		`clone\(SIGCHLD\) = [1-9]\d*, whose own getpid\(\) = 1; it ends\nclone\(SIGCHLD\) = -1 ENOMEM .*\n$`, out)
	own := regexp.MustCompile(`(?m)^getpid\(\) = (\d+)$`).FindAllStringSubmatch(out, -1)
	require.Equal(t, own[0][1], own[1][1], "unshare moved the caller")

	out, status = outcomeOf(t, nobody("pidns"))
	require.Equal(t, 1, status)
	require.Contains(t, out, "unshare(CLONE_NEWPID) = -1 EPERM")
}

func TestIPCStaysInItsNamespace(t *testing.T) {
	needRoot(t)
	out, status := outcomeOf(t, inNamespaces(syscall.CLONE_NEWIPC, `
		set -e
		! "$0" sysv
		"$0" sysv hello
		cat /proc/sysvipc/shm
		"$0" sysv
		"$0" mqueue /probe-test
		"$0" mqueue -rm /probe-test
		! "$0" mqueue -rm /probe-test`))
	require.Zero(t, status, out)
	for _, call := range []string{"shmget", "semget", "msgget"} {
		require.Contains(t, out, call+"(0x637574) = -1 ENOENT ")
		require.Contains(t, out, call+"(0x637574) = 0\n")
	}
	require.Contains(t, out, "shmget(0x637574) = 0, holds \"hello\"\nsemget(0x637574) = 0, holds 7\nmsgget(0x637574) = 0, holds \"hello\"\n")
	require.Regexp(t, `(?m)^\s*6518132\s+0\s+600\s+4096`, out) // 0x637574 in decimal
	require.Contains(t, out, "mqueue /probe-test maxmsg 10 msgsize 8192\n")
	require.Contains(t, out, "mq_unlink /probe-test: ENOENT: no such file")
}

func TestForkIsCountedAndRefused(t *testing.T) {
	needRoot(t)
	out, status := outcomeOf(t, exec.Command(probe, "fork", "25"))
	require.Zero(t, status, out)
	require.Equal(t, "forked 25 of 25\n", out)

	// RLIMIT_NPROC counts a user's tasks; nobody else runs as this one.
	out, status = outcomeOf(t, exec.Command("setpriv", "--reuid=61357", "--clear-groups",
		"prlimit", "--nproc=32", probe, "fork", "500"))
	require.Equal(t, 1, status, out)
	var n int
	before, _, ok := strings.Cut(out, " of 500, then: clone(SIGCHLD) = -1 EAGAIN (resource temporarily unavailable)\n")
	require.True(t, ok, out)
	_, err := fmt.Sscanf(before, "forked %d", &n)
	require.NoError(t, err)
	require.InDelta(t, 27, n, 5) // the probe's own threads count too
}

func TestEatTouchesWhatItSays(t *testing.T) {
	out, status := outcomeOf(t, exec.Command(probe, "eat", "8M"))
	require.Zero(t, status, out)
	require.Equal(t, "touched 8M\n", out)

	// The address space limit refuses the mapping: setrlimit(2).
	out, status = outcomeOf(t, exec.Command("prlimit", "--as=2000000000", probe, "eat", "4G"))
	require.Equal(t, 1, status, out)
	require.Contains(t, out, "probe: mmap 4G: ENOMEM: cannot allocate memory")
}
