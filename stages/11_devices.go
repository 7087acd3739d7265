package stages

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"cutaway/sandbox/plan"
)

// devices gives the container its own /dev and hides what /proc and /sys tell
// of the whole machine.
var devices = Stage{
	Slug:   "11-devices",
	Title:  "what it may touch in /dev, /proc and /sys",
	Belief: "with all its namespaces a container sees nothing of the machine any more",
	Lesson: "/proc, /sys and /dev speak of the whole machine, in whatever namespace. A container sees less of them only because something is mounted on top.",
	Code:   "sandbox/op/mask.go",
	Add: func(s *plan.Spec, _ Materials) {
		s.Linux.Devices = true
		s.Linux.MaskedPaths, s.Linux.ReadonlyPaths = MaskedPaths, ReadonlyPaths
	},
	Look: lookDevices,
}

// MaskedPaths are hidden from a container, ReadonlyPaths may only be read: what
// docker and containerd do by default.
var (
	MaskedPaths = []string{
		"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
		"/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats",
		"/sys/devices/virtual/powercap", "/sys/firmware",
	}
	ReadonlyPaths = []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}
)

func lookDevices(ctx context.Context, l *Look) {
	l.Note("first a container without this stage: it has every namespace so far, and its /proc is fresh")
	spec := l.Again()
	spec.Linux.Devices, spec.Linux.MaskedPaths, spec.Linux.ReadonlyPaths = false, nil, nil
	bare, err := l.Start(ctx, spec)
	if l.started(err) {
		lookUnmasked(bare)
		l.ended(bare)
	}
	lookMasks(l)
	lookReadonly(l)
	lookDev(l)
}

// forward turns a switch that every network namespace has for itself, so it
// does no harm; interrupts is a file that is the same in every namespace.
const (
	forward    = "sysctl -w net.ipv4.ip_forward=1"
	interrupts = "/proc/interrupts"
)

// lookUnmasked is what the container could see and do before.
func lookUnmasked(l *Look) {
	l.Inside("wc -l < "+interrupts, "it reads which devices interrupt the whole machine", func(o Out) bool { return o.Text != "0" && o.Status == 0 })
	if l.Container.Spec.Has("network") {
		l.Inside(forward, "it may turn the kernel's switches", func(o Out) bool { return o.Status == 0 })
	}
}

// lookMasks asks each masked file what it is: the node of /dev/null, 1:3.
func lookMasks(l *Look) {
	if _, err := os.Lstat("/proc/kcore"); err != nil {
		l.Note("/proc/kcore, all of the machine's memory, is not to be seen: this kernel was built without it. What it has is masked:")
	}
	files, dirs := masked()
	l.Inside("stat -c '%n %F %t:%T' "+strings.Join(files, " "), "each of them is /dev/null now", func(o Out) bool {
		return len(files) > 0 && strings.Count(o.Text, "character special file 1:3") == len(files)
	})
	l.Inside("wc -l < "+interrupts, "so it reads as empty", func(o Out) bool { return o.Text == "0" })
	if len(dirs) > 0 {
		l.Inside("ls -A "+strings.Join(dirs, " ")+" | grep -v :", "the directories are under an empty tmpfs", func(o Out) bool {
			return strings.TrimSpace(o.Text) == ""
		})
	}
	l.Outside("wc -l < "+interrupts, "nothing was deleted: the host still reads it", func() (string, error) {
		text, err := os.ReadFile(interrupts)
		return fmt.Sprint(strings.Count(string(text), "\n")), err
	}, func(text string) bool { return text != "0" })
}

// masked lists those of the masked paths that this kernel has.
func masked() (files, dirs []string) {
	for _, path := range MaskedPaths {
		switch st, err := os.Lstat(path); {
		case err != nil:
		case st.IsDir():
			dirs = append(dirs, path)
		default:
			files = append(files, path)
		}
	}
	return files, dirs
}

// lookReadonly tries the switches again.
func lookReadonly(l *Look) {
	l.Note("the next two writes fail with EROFS, on purpose: /proc/sys and /sys are mounted read-only")
	refused := func(o Out) bool { return o.Status != 0 && o.Has("Read-only file system") }
	l.Inside(forward, "the same switch is out of reach", refused)
	l.Inside("echo 1500 > /sys/class/net/lo/mtu", "and so are those in /sys", refused)
}

// lookDev compares /dev with the list of what should be in it.
func lookDev(l *Look) {
	want := []string{"fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero"}
	if l.Container.Spec.Linux.Mqueue {
		want = append(want, "mqueue")
	}
	slices.Sort(want)
	l.Inside("ls -x /dev", "these names and no other", func(o Out) bool {
		return slices.Equal(slices.Sorted(slices.Values(strings.Fields(o.Text))), want)
	})
	l.Outside("ls /dev | wc -l", "the host has disks, terminals, memory ...", func() (string, error) {
		entries, err := os.ReadDir("/dev")
		return fmt.Sprint(len(entries)), err
	}, func(text string) bool {
		var n int
		return number(text, &n) && n > len(want)
	})
	lookNodes(l)
}

// nodes are the devices of every container with their numbers: devices.txt in
// the kernel's documentation.
var nodes = []struct{ name, number string }{
	{"null", "1:3"}, {"zero", "1:5"}, {"full", "1:7"}, {"random", "1:8"}, {"urandom", "1:9"}, {"tty", "5:0"},
}

// lookNodes compares the numbers of the nodes, and tries to make one.
func lookNodes(l *Look) {
	command, want := "cd /dev; stat -c '%n %t:%T'", ""
	for _, n := range nodes {
		command += " " + n.name
		want += n.name + " " + n.number + "\n"
	}
	l.Inside(command, "each number leads to the driver its name promises", func(o Out) bool { return o.Text+"\n" == want })
	if l.Container.Spec.Has("user") {
		l.Note("a node is a door to a driver, so making one fails with EPERM, on purpose: in a user namespace no capability is enough")
		l.Inside("probe call mknod", "the six above had to be bound from the host", func(o Out) bool { return o.Status == 1 && o.Has("EPERM") })
	}
}
