package stages

import (
	"context"
	"fmt"
	"os"
	"strings"

	"cutaway/stages/buildup"
)

// devices gives the container its own /dev and hides what /proc and /sys tell
// of the whole machine.
var devices = Stage{
	Part:   buildup.Devices,
	Title:  "what it may touch in /dev, /proc and /sys",
	Belief: "with all its namespaces a container sees nothing of the machine any more",
	Lesson: "/proc, /sys and /dev speak of the whole machine, in whatever namespace. A container sees less of them only because something is mounted on top.",
	Code:   "sandbox/op/mask.go",
	Look:   lookDevices,
}

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
		l.Inside(forward, "it may turn the switches of its network", func(o Out) bool { return o.Status == 0 })
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
	for _, path := range buildup.MaskedPaths {
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
