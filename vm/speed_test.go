package vm

import (
	"bufio"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestSpeed boots to the first command, and compares with QEMU started by hand
// with the same kernel and an init that only says that it is there. The two take
// turns, because the machine below has its moods.
func TestSpeed(t *testing.T) {
	const runs, allowed = 3, 1.25
	c := testConfig(t)
	c.Accel = "tcg"
	k, err := FindKernel(testContext(t), c.Kernel)
	require.NoError(t, err)
	trivial := trivialInit(t)
	var ours, raw []time.Duration
	var resident int64
	for range runs {
		begin := time.Now()
		m, err := Boot(testContext(t), c)
		require.NoError(t, err)
		_, err = m.Run(testContext(t), Command{Args: []string{"true"}})
		ours = append(ours, time.Since(begin))
		require.NoError(t, err)
		resident, err = m.Resident()
		m.Stop()
		require.NoError(t, err)
		raw = append(raw, bootByHand(t, k, trivial))
	}
	slices.Sort(ours)
	slices.Sort(raw)
	ratio := float64(ours[runs/2]) / float64(raw[runs/2])
	t.Logf("to the first command %s, by hand %s: %.2f times as long; Linux %s, tcg, median of %d, %d MiB resident",
		ours[runs/2].Round(time.Millisecond), raw[runs/2].Round(time.Millisecond), ratio, k.Version, runs, resident>>20)
	require.LessOrEqual(t, ratio, allowed)
}

// trivialInit is an initramfs with a shell in it that says ready.
func trivialInit(t *testing.T) string {
	path, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatal("the test needs busybox: vm/packages.sh install busybox")
	}
	busybox, err := os.ReadFile(path)
	require.NoError(t, err)
	archive := filepath.Join(t.TempDir(), "initramfs")
	f, err := os.Create(archive)
	require.NoError(t, err)
	require.NoError(t, writeCPIO(f, []file{
		{name: "dev", mode: fs.ModeDir | 0o755},
		{name: "dev/console", mode: fs.ModeDevice | fs.ModeCharDevice | 0o600, dev: [2]uint32{5, 1}},
		{name: "busybox", mode: 0o755, body: busybox},
		{name: "init", mode: 0o755, body: []byte("#!/busybox sh\necho ready\n/busybox poweroff -f\n")},
	}))
	require.NoError(t, f.Close())
	return archive
}

// bootByHand is how long a plain QEMU takes until the init has spoken.
func bootByHand(t *testing.T, k *Kernel, initramfs string) time.Duration {
	e := emulators[k.Arch]
	begin := time.Now()
	cmd := exec.CommandContext(testContext(t), e.program, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-M", e.machine, "-accel", "tcg", "-cpu", "max", "-m", "512", "-serial", "stdio",
		"-kernel", k.Image, "-initrd", initramfs, "-append", "quiet panic=-1 console="+e.console+" "+clockHint(k.Arch, "tcg"))
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer cmd.Wait() // killed below
	defer cmd.Process.Kill()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.TrimSpace(lines.Text()) == "ready" {
			return time.Since(begin)
		}
	}
	t.Fatal("QEMU by hand did not boot")
	return 0
}
