// Package buildup is what each stage adds to a container, on one page, and the
// complete container that they add up to.
//
// Its one invariant: it only makes plan.Spec values, of what it is given; it
// plays nothing and looks at nothing, which is what package stages does with it.
// So the program that only runs a container links none of that. Read this file,
// then complete.go: the last stage with what a person wishes.
package buildup

import (
	"slices"
	"strings"

	"cutaway/sandbox/features"
	"cutaway/sandbox/op"
	"cutaway/sandbox/plan"
)

// Part is what one stage adds to the container of the stage before it.
type Part struct {
	Slug string // the stage's number and name, as in 03-uts
	// Needs returns an error, best a *features.Error, where the machine cannot do
	// this stage; nil is a stage that every machine can do.
	Needs func(features.Features) error
	// Add adds the stage's feature to the Spec of the stage before.
	Add func(*plan.Spec, Materials)
}

// All are the parts in the order of their stages.
var All = []Part{
	Process, Chroot, Mount, UTS, PID, IPC, Net, User,
	Cgroup, Time, Limits, Devices, Privileges, Overlay, Image, Container,
}

// Number is the part's place in the order, from 0.
func (p Part) Number() int {
	return slices.IndexFunc(All, func(other Part) bool { return other.Slug == p.Slug })
}

// Name is the slug without its number: "uts".
func (p Part) Name() string {
	_, name, _ := strings.Cut(p.Slug, "-")
	return name
}

// Lacks is why this machine cannot do the stage, nil if it can.
func (p Part) Lacks(f features.Features) error {
	if p.Needs == nil {
		return nil
	}
	return p.Needs(f)
}

// Shell is the payload of a stage, which people and probes speak to.
const Shell = "/bin/sh"

// Spec is the container of a part's stage: what every part up to it adds, but for
// those this machine cannot do, which are left out.
func (p Part) Spec(m Materials) plan.Spec {
	spec := plan.Spec{Process: plan.Process{
		Args: []string{Shell},
		Env:  []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "TERM=linux"},
	}}
	for _, earlier := range All[:p.Number()+1] {
		if earlier.Lacks(m.Features) == nil {
			earlier.Add(&spec, m)
		}
	}
	return spec
}

// Process is an ordinary process, with nothing of its own.
var Process = Part{
	Slug: "00-process",
	Add:  func(*plan.Spec, Materials) {},
}

// Chroot begins path lookup elsewhere.
var Chroot = Part{
	Slug: "01-chroot",
	Add:  func(s *plan.Spec, m Materials) { s.Root.From = m.Tree },
}

// Mount is a mount table, whose root the container's is.
var Mount = Part{
	Slug:  "02-mount",
	Needs: namespace("mnt"),
	Add: func(s *plan.Spec, _ Materials) {
		s.Add("mount")
		s.Root.Pivot = true
	},
}

// UTS is a hostname.
var UTS = Part{
	Slug:  "03-uts",
	Needs: namespace("uts"),
	Add: func(s *plan.Spec, m Materials) {
		s.Add("uts")
		s.Hostname, s.Domainname = "cutaway", "lab"
		if m.Host == s.Hostname { // for one, in a container of the lab
			s.Hostname, s.Domainname = "cutaway-inside", "lab-inside"
		}
	},
}

// PID is a numbering of processes, and a /proc that goes by it.
var PID = Part{
	Slug:  "04-pid",
	Needs: namespace("pid"),
	Add: func(s *plan.Spec, _ Materials) {
		s.Add("pid")
		s.Linux.Proc = true
	},
}

// IPC is System V and POSIX message objects.
var IPC = Part{
	Slug:  "05-ipc",
	Needs: namespace("ipc"),
	Add: func(s *plan.Spec, _ Materials) {
		s.Add("ipc")
		s.Linux.Mqueue = true
	},
}

// WebPort is where the web server of the built-in image listens, in TCP.
const WebPort = 8080

// Net is a network stack, and a cable from it to the host's bridge.
var Net = Part{
	Slug: "06-net",
	Needs: func(f features.Features) error {
		if err := f.HaveNamespace("net"); err != nil || f.Root() {
			return err
		}
		return &features.Error{Feature: "a bridge on the host", Cause: "it needs root; rootless, use cutaway run --net none"}
	},
	Add: func(s *plan.Spec, _ Materials) {
		s.Add("network")
		s.Net.Mode = "bridge"
		s.Net.Ports = []op.Port{{ContainerPort: WebPort, Protocol: "tcp"}}
	},
}

// User is ids that are others outside.
var User = Part{
	Slug:  "07-user",
	Needs: namespace("user"),
	Add: func(s *plan.Spec, m Materials) {
		s.Add("user")
		s.Linux.UIDMappings, s.Linux.GIDMappings = m.UIDMappings, m.GIDMappings
	},
}

// Cgroup is a control group, and the sight of it as the root of all groups.
var Cgroup = Part{
	Slug: "08-cgroup",
	Needs: func(f features.Features) error {
		if err := f.HaveNamespace("cgroup"); err != nil {
			return err
		}
		return controllers("pids")(f)
	},
	Add: func(s *plan.Spec, _ Materials) {
		s.Add("cgroup")
		s.Linux.Cgroup = true
	},
}

// Week is how far ahead the uptime of a stage's container is, in seconds.
const Week = 7 * 24 * 3600

// Time is clocks that count from another boot.
var Time = Part{
	Slug:  "09-time",
	Needs: func(f features.Features) error { return f.HaveTimeNSByExec() },
	Add: func(s *plan.Spec, _ Materials) {
		s.Add("time")
		s.Linux.TimeOffset = Week
	},
}

// Limits bounds what the container uses.
var Limits = Part{
	Slug:  "10-limits",
	Needs: controllers("memory", "pids", "cpu"),
	Add: func(s *plan.Spec, m Materials) {
		r := plan.Resources{MemoryMax: 64 << 20, MemoryHigh: 62 << 20, PidsMax: 64, CPUMax: "100000 100000", CPUWeight: 50}
		if m.Disk != "" {
			r.Disk(m.Disk).WriteBPS = 8 << 20
		}
		s.Linux.Resources = r
	},
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

// Devices is a /dev, and masks over what /proc and /sys tell of the machine.
var Devices = Part{
	Slug: "11-devices",
	Add: func(s *plan.Spec, _ Materials) {
		s.Linux.Devices = true
		s.Linux.MaskedPaths, s.Linux.ReadonlyPaths = MaskedPaths, ReadonlyPaths
	},
}

// Capabilities are what docker leaves to root by default.
var Capabilities = []string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
	"CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SYS_CHROOT", "CAP_MKNOD", "CAP_AUDIT_WRITE", "CAP_SETFCAP",
}

// Privileges is few capabilities, a filter of system calls, and no way to more.
var Privileges = Part{
	Slug: "12-privileges",
	Add: func(s *plan.Spec, m Materials) {
		p := &s.Process
		p.Restrict, p.Capabilities, p.NoNewPrivileges, p.NewKeyring = true, Capabilities, true, true
		p.Rlimits = []plan.Rlimit{{Type: "RLIMIT_NOFILE", Soft: 1024, Hard: 4096}}
		s.Linux.Seccomp = m.Seccomp
	},
}

// Overlay is a root made of a layer that is shared and one that is not.
var Overlay = Part{
	Slug:  "13-overlay",
	Needs: overlayInUserNS,
	Add:   func(s *plan.Spec, m Materials) { s.Root.From, s.Root.Lower = "", []string{m.Lower} },
}

// Image is the layers of an image as that root.
var Image = Part{
	Slug:  "14-image",
	Needs: overlayInUserNS,
	Add:   func(s *plan.Spec, m Materials) { s.Root.Lower = m.Layers },
}

// Container takes from the image what runs, as whom, where, and with which
// environment: image-spec config.md.
var Container = Part{
	Slug:  "15-container",
	Needs: overlayInUserNS,
	Add: func(s *plan.Spec, m Materials) {
		p := &s.Process
		if args := slices.Concat(m.Config.Entrypoint, m.Config.Cmd); len(args) > 0 {
			p.Args = args
		}
		if m.User.Home != "" {
			p.Env = Merge(p.Env, []string{"HOME=" + m.User.Home})
		}
		p.Env = Merge(p.Env, m.Config.Env)
		p.Cwd = m.Config.WorkingDir
		p.User = plan.User{UID: m.User.UID, GID: m.User.GID, AdditionalGids: m.User.Groups}
	},
}

// namespace needs a kernel with a type of namespace: mnt, uts, ...
func namespace(kind string) func(features.Features) error {
	return func(f features.Features) error { return f.HaveNamespace(kind) }
}

// controllers needs groups with these controllers, which an ordinary user has not.
func controllers(names ...string) func(features.Features) error {
	return func(f features.Features) error {
		if !f.Root() {
			return &features.Error{Feature: "a control group", Cause: "it needs root, who owns the top of the hierarchy"}
		}
		for _, name := range names {
			if err := f.HaveController(name); err != nil {
				return err
			}
		}
		return nil
	}
}

func overlayInUserNS(f features.Features) error { return f.HaveOverlayInUserNS() }
