package stages

import (
	"context"

	"cutaway/sandbox/plan"
)

// devices gives the container its own /dev and hides what /proc and /sys tell
// of the whole machine.
var devices = Stage{
	Slug:   "11-devices",
	Title:  "what it may touch in /dev, /proc and /sys",
	Belief: "the namespaces already hide the machine",
	Lesson: "/proc and /sys speak of the whole machine; a container sees less of it only because something is mounted on top.",
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

func lookDevices(_ context.Context, l *Look) {
	l.Inside("wc -c < /proc/kcore", "empty: the machine's memory is under /dev/null", func(o Out) bool { return o.Text == "0" })
}
