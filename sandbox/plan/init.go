package plan

import (
	"cutaway/sandbox/features"
	"cutaway/sandbox/op"
	"cutaway/sandbox/sys"
)

// The steps in this file run in init, inside what it has unshared so far. They
// leave nothing on the host: it all ends with the container's last process.

// namespaces moves init out of the host's namespaces, one at a time, so that
// each can be seen to appear.
func (b *builder) namespaces() {
	s := b.spec
	unshare := func(ns string, flag int, why string, changes ...string) {
		if s.Has(ns) {
			b.init(op.Unshare{Flags: flag}, why, append(changes, "process")...)
		}
	}
	unshare("mount", sys.NewNS, "before anything is mounted, or the host would see it", "mnt", "mount", "overlay")
	unshare("uts", sys.NewUTS, "before sethostname, or the host is renamed", "uts")
	unshare("ipc", sys.NewIPC, "before the payload can make a segment or a queue that others see", "ipc", "shm", "sem", "msg", "mqueue")
	if s.Net.Mode != "container" && s.Net.Mode != "host" {
		unshare("network", sys.NewNet, "before sysfs is mounted, which shows the links of the network namespace it is mounted from", "net", "link", "addr", "route", "sysctl")
	}
	unshare("cgroup", sys.NewCgroup, "now that init is in its group: the group it is in becomes the root of what it sees", "cgroupns")
	unshare("time", sys.NewTime, "before its offsets: they can be set only while nobody is in the namespace", "time")
	if s.Has("mount") {
		b.init(op.Mount{Target: "/", Flags: sys.Rec | sys.Private},
			"a new mount namespace is a copy that still shares its peers: without this our mounts would appear on the host", "", "mount")
	}
}

// names gives the new namespaces their settings.
func (b *builder) names() {
	s := b.spec
	if s.Hostname != "" && s.Has("uts") {
		b.init(op.Hostname{Hostname: s.Hostname}, "in our own UTS namespace: the host keeps its name", "uts")
	}
	if s.Domainname != "" && s.Has("uts") {
		b.init(op.Domainname{Domainname: s.Domainname}, "the other name a UTS namespace holds", "uts")
	}
	if s.Has("time") {
		b.init(op.TimeOffsets{Boottime: s.Linux.TimeOffset, Monotonic: s.Linux.TimeOffset},
			"while nobody is in the namespace: init enters it by execve", "time")
	}
}

// connect gives the network namespace its links. The pair is made from outside:
// one end stays on the host's bridge.
func (b *builder) connect() {
	s := b.spec
	if s.Has("network") && s.Net.Mode != "container" && s.Net.Mode != "host" {
		b.init(op.LoopbackUp{}, "a fresh network namespace has only lo, and it is down", "link", "addr", "route")
	}
	if s.Net.Mode != "bridge" {
		return
	}
	b.host(op.Veth{Host: VethName(s.ID), Container: "eth0", Bridge: s.Net.Bridge},
		"now that both ends have a place: one goes into init's namespace, one onto the bridge", "link", "addr", "route", "sysctl")
	b.host(op.Address{Link: "eth0", CIDR: s.Net.Address}, "a link without an address can speak to nobody", "link", "addr", "route")
	b.host(op.Route{Gateway: bare(s.Net.Gateway)}, "after the address, which makes the gateway reachable", "route")
}

// VethName is the host's end of a container's cable; 15 bytes at most, netdevice(7).
func VethName(id string) string { return "cutaway-" + id }

// WireName is a bridge that one container has for itself, beside the lab's.
func WireName(id string) string { return "cutaway-w" + id }

// defaultDevices is what every container may use: OCI runtime-spec, default devices.
var defaultDevices = []string{"null", "zero", "full", "random", "urandom", "tty"}

// collect takes hold of the host's files that the container is to have.
func (b *builder) collect() {
	s := b.spec
	if !s.Root.Pivot {
		return
	}
	var volumes, files, devices []string
	for _, m := range s.Mounts {
		if m.Type == "bind" {
			volumes = append(volumes, m.Source)
		}
	}
	for _, f := range s.etcFiles() {
		files = append(files, f.host)
	}
	if s.Linux.Devices {
		for _, name := range defaultDevices {
			devices = append(devices, "/dev/"+name)
		}
		if b.bindSys() {
			devices = append(devices, "/sys")
		}
	}
	take := func(sources []string, why string) {
		if len(sources) > 0 {
			b.init(op.OpenTree{Sources: sources}, why)
		}
	}
	take(files, "while the host's files can be reached: after pivot_root no path leads to them")
	take(volumes, "while the host's files can be reached: the volumes")
	take(devices, "while the host's /dev can be reached: in a user namespace nobody may make device nodes, but existing ones can be bound")
}

// bindSys tells whether /sys must be the host's: a user namespace may mount
// sysfs only for a network namespace that it owns.
func (b *builder) bindSys() bool {
	return b.spec.Has("user") && (!b.spec.Has("network") || b.spec.Net.Mode == "container" || b.spec.Net.Mode == "host")
}

// root puts the new root in place.
func (b *builder) root() {
	r := b.spec.Root
	switch {
	case r.Path == "":
		return
	case !r.Pivot:
		b.init(op.Chroot{Path: r.Path}, "last of what needs the host's files: from here on / is this directory", "process")
		return
	case len(r.Lower) > 0:
		b.init(op.Overlay{Lower: r.Lower, Upper: b.spec.upper(), Work: b.spec.work(), Target: r.Path, UserXattr: b.spec.Has("user")},
			"in init's own mount namespace: the host never sees the merged tree", "mount", "overlay", "dir")
	default:
		b.init(op.Mount{Source: r.Path, Target: r.Path, Flags: sys.Bind | sys.Rec},
			"pivot_root wants a mount, and a directory is none: bound onto itself it becomes one", "mount")
	}
	b.init(op.PivotRoot{Path: r.Path}, "the new root is a mount now; the old one stays reachable as . until proc is there", "process", "mount", "overlay")
}

// filesystems mounts what the kernel provides itself, in the new root.
func (b *builder) filesystems() {
	s := b.spec
	const safe = sys.Nosuid | sys.Nodev | sys.Noexec
	mount := func(source, target, fstype string, flags uintptr, data, why string, changes ...string) {
		b.init(op.Mount{Source: source, Target: target, Type: fstype, Flags: flags, Data: data, Mkdir: true}, why, append([]string{"mount"}, changes...)...)
	}
	if s.Linux.Proc {
		mount("proc", "/proc", "proc", safe, "", "before the old root goes: in a user namespace the kernel mounts a new proc only where a full one can be seen")
	}
	if s.Linux.Devices {
		if !b.bindSys() {
			mount("sysfs", "/sys", "sysfs", safe|sys.Rdonly, "", "it shows the links of this network namespace, and is read-only: its switches are the machine's")
		}
		mount("tmpfs", "/dev", "tmpfs", sys.Nosuid|sys.Strictatime, "mode=755,size=65536k", "an empty /dev: the container gets what we put there and nothing else", "device")
		mount("devpts", "/dev/pts", "devpts", sys.Nosuid|sys.Noexec, "newinstance,ptmxmode=0666,mode=0620", "terminals of its own, numbered from 0", "device")
		mount("tmpfs", "/dev/shm", "tmpfs", safe, "mode=1777,size=65536k", "shm_open(3) looks here", "device")
	}
	if s.Linux.Mqueue {
		mount("mqueue", "/dev/mqueue", "mqueue", safe, "", "the queues of this IPC namespace, as files", "mqueue", "device")
	}
	if s.Has("cgroup") && s.Linux.Devices && b.features.Cgroup.Mode == features.Unified {
		mount("cgroup2", "/sys/fs/cgroup", "cgroup2", safe|sys.Rdonly, "", "its own group, which the cgroup namespace shows as the root")
	}
}

// attach puts what collect took in its place.
func (b *builder) attach() {
	s := b.spec
	if !s.Root.Pivot {
		return
	}
	b.devices()
	var files []op.Move
	for _, f := range s.etcFiles() {
		files = append(files, op.Move{Source: f.host, Target: f.inside, File: true})
	}
	if len(files) > 0 {
		b.init(op.MoveMount{Moves: files}, "over the image's own: a name or resolver is the container's, not the image's", "mount")
	}
}

// devices fills the empty /dev.
func (b *builder) devices() {
	if !b.spec.Linux.Devices {
		return
	}
	var moves []op.Move
	for _, name := range defaultDevices {
		moves = append(moves, op.Move{Source: "/dev/" + name, Target: "/dev/" + name, File: true})
	}
	if b.bindSys() {
		moves = append(moves, op.Move{Source: "/sys", Target: "/sys"})
	}
	b.init(op.MoveMount{Moves: moves}, "into the empty /dev: six nodes that can do no harm", "mount", "device")
	if b.bindSys() {
		b.init(op.Mount{Target: "/sys", Flags: sys.Remount | sys.Bind | sys.Rdonly | sys.Nosuid | sys.Nodev | sys.Noexec},
			"by a second call, for a bind takes no flags in the first: the switches in /sys are the machine's", "mount")
	}
	b.init(op.Symlinks{Links: []op.Link{
		{Target: "pts/ptmx", Path: "/dev/ptmx"}, {Target: "/proc/self/fd", Path: "/dev/fd"},
		{Target: "/proc/self/fd/0", Path: "/dev/stdin"}, {Target: "/proc/self/fd/1", Path: "/dev/stdout"},
		{Target: "/proc/self/fd/2", Path: "/dev/stderr"},
	}}, "names that programs expect in /dev", "device")
}

// closeRoot detaches the old root: until here init needed it.
func (b *builder) closeRoot() {
	if b.spec.Root.Path != "" && b.spec.Root.Pivot {
		b.init(op.DetachOldRoot{}, "everything is in place: from here on no path leads to the host's files", "mount", "process", "overlay")
	}
}

// volumes puts them in their places. Somebody who runs may be writing to one, and
// put a link where the next is to go, so the host's files must be out of reach by
// now (CVE-2021-30465).
func (b *builder) volumes() {
	for _, m := range b.spec.Mounts {
		if m.Type == "tmpfs" {
			flags, data := op.TmpfsOptions(m.Data)
			b.init(op.Mount{Source: "tmpfs", Target: m.Destination, Type: "tmpfs", Flags: flags | sys.Nosuid | sys.Nodev, Data: data, Mkdir: true},
				"a volume in memory, gone with the container", "mount")
		}
	}
	for _, m := range b.spec.Mounts {
		if m.Type != "bind" || !b.spec.Root.Pivot {
			continue
		}
		b.init(op.MoveMount{Moves: []op.Move{{Source: m.Source, Target: m.Destination, File: m.File}}},
			"after the old root has gone: no link, in the image or in another volume, can lead out", "mount")
		if m.Readonly {
			b.init(op.ReadonlyMount{Target: m.Destination, Whole: b.features.HaveMountSetattr() == nil},
				"by a second call: a bind takes no flags in the first", "mount")
		}
	}
}

// restrictPaths hides and protects what /proc and /sys say of the whole machine.
func (b *builder) restrictPaths() {
	s := b.spec
	if len(s.Linux.MaskedPaths) > 0 {
		b.init(op.Mask{Paths: s.Linux.MaskedPaths}, "proc is there: some of its files speak of the whole machine", "mount")
	}
	if len(s.Linux.ReadonlyPaths) > 0 {
		b.init(op.Readonly{Paths: s.Linux.ReadonlyPaths}, "while mounting is still allowed: what may be read but never written", "mount")
	}
	if s.Root.Readonly && s.Root.Pivot {
		b.init(op.Mount{Target: "/", Flags: sys.Remount | sys.Bind | sys.Rdonly}, "after the last mount point was made in it", "mount")
	}
}

// privileges takes away what the payload must not have, in the one order that
// works: each step needs what a later one removes.
func (b *builder) privileges() {
	p := b.spec.Process
	if p.Cwd != "" {
		b.init(op.Chdir{Path: p.Cwd}, "while we still are root and can make it if the image lacks it", "", "process")
	}
	for _, r := range p.Rlimits {
		b.init(op.Rlimit(r), "before the capability to raise it again goes", "", "rlimits")
	}
	if p.Terminal && b.spec.Linux.Devices {
		b.init(op.Console{}, "before the user changes: the terminal is taken from this container's devpts", "", "device", "process")
	}
	if p.NewKeyring {
		b.init(op.Keyring{}, "before the filter, which refuses keyctl: the keys of whoever started us came along by fork, through every namespace")
	}
	if p.Restrict {
		b.init(op.DropBounding{Keep: p.Capabilities, Last: b.features.LastCap}, "while CAP_SETPCAP is there: what leaves the bounding set never comes back", "", "caps")
	}
	filter := func(why string) {
		if b.spec.Linux.Seccomp != nil {
			b.init(op.Seccomp{Profile: *b.spec.Linux.Seccomp}, why, "seccomp")
		}
	}
	if !p.NoNewPrivileges {
		filter("while CAP_SYS_ADMIN is there: without no_new_privs only it may load a filter")
	}
	if p.User.UID != 0 || p.User.GID != 0 || len(p.User.AdditionalGids) > 0 {
		b.init(op.SetUser{UID: p.User.UID, GID: p.User.GID, Groups: append([]int{}, p.User.AdditionalGids...), NoGroups: !b.features.Root()},
			"the image names a user: with uid 0 its capabilities go, all of them", "process", "caps")
	}
	switch {
	case p.Restrict && p.User.UID == 0:
		b.init(op.Capset{Caps: p.Capabilities}, "root keeps these and no more", "", "caps")
	case p.Restrict:
		b.init(op.Capset{Caps: []string{}}, "what is inherited from the host's process goes as well: a change of user leaves that set alone", "", "caps")
	}
	if p.NoNewPrivileges {
		b.init(op.NoNewPrivs{}, "before the filter: with it an ordinary process may load one", "", "seccomp")
		filter("last, for the filter would refuse much of what came before")
	}
}

// payload ends init.
func (b *builder) payload() {
	p := b.spec.Process
	b.init(op.Exec{Args: p.Args, Env: p.Env}, "all is in place: init becomes the payload and keeps all of it",
		"process", "caps", "seccomp", "time", "device", "rlimits")
}
