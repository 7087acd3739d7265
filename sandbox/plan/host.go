package plan

import (
	"path/filepath"
	"slices"
	"strconv"

	"cutaway/sandbox/features"
	"cutaway/sandbox/op"
	"cutaway/sandbox/sys"
)

// The steps in this file run on the host. What they make outlives the
// container's processes, so each can be undone. Only what init is born into must
// be there before it; the rest is made while init starts up.

// directories makes the container's place on the host: its root filesystem, or
// the parts of an overlay, and the few files every container has of its own.
func (b *builder) directories() {
	s := b.spec
	if s.Root.Path == "" {
		return
	}
	mine := func(path string, why string) {
		b.host(op.Dir{Path: path, Mode: 0o755, UID: s.RootUID(), GID: s.RootGID()}, why, "dir")
	}
	b.host(op.Dir{Path: s.State, Mode: 0o711}, "first: everything this container keeps on the host is in here", "dir")
	if len(s.Root.Lower) == 0 {
		b.host(op.Tree{From: s.Root.From, Path: s.Root.Path}, "a root filesystem is files like any other: here are its own", "dir")
	} else {
		mine(s.Root.Path, "before the overlay, which needs a directory to appear at")
		mine(s.upper(), "before the overlay: what the container writes is kept here")
		mine(s.work(), "beside the upper directory, on the same filesystem: overlayfs prepares its renames here")
	}
	for _, f := range s.etcFiles() {
		b.host(op.File{Path: f.host, Text: f.text, UID: s.RootUID(), GID: s.RootGID()},
			"while we still are on the host: "+f.inside+" differs for each container, so it is no part of the image", "dir")
	}
}

func (s Spec) upper() string { return filepath.Join(s.State, "upper") }
func (s Spec) work() string  { return filepath.Join(s.State, "work") }

type etcFile struct{ host, inside, text string }

// etcFiles are the files every container has of its own.
func (s Spec) etcFiles() []etcFile {
	var files []etcFile
	add := func(name, text string) {
		if text != "" && s.Root.Pivot {
			files = append(files, etcFile{filepath.Join(s.State, name), "/etc/" + name, text})
		}
	}
	add("resolv.conf", s.Net.Resolv)
	add("hosts", s.Net.Hosts)
	return files
}

// surroundings makes what init is born into.
func (b *builder) surroundings() {
	dirs := CgroupDirs(b.spec, b.features)
	if len(dirs) > 0 && b.features.Cgroup.Mode == features.Unified {
		b.controllers(filepath.Dir(dirs[0]))
		b.host(op.CgroupCreate{Dirs: dirs}, "before init starts, so that nothing of the container ever runs outside its group", "cgroup")
		b.limits()
	}
	for _, j := range joining {
		if path := b.spec.Linux.Joined[j.namespace]; path != "" {
			b.host(op.Setns{Path: path, Flag: j.flag},
				"on the thread that is about to clone: init is born in the "+j.namespace+" namespace of its parent thread")
		}
	}
}

// controlGroups makes the groups of v1 hierarchies, which init joins later, and
// sets their limits while they are still empty.
func (b *builder) controlGroups() {
	dirs := CgroupDirs(b.spec, b.features)
	if len(dirs) == 0 || b.features.Cgroup.Mode == features.Unified {
		return
	}
	parents := make([]string, len(dirs))
	for i, dir := range dirs {
		parents[i] = filepath.Dir(dir)
	}
	b.host(op.CgroupCreate{Dirs: parents, Shared: true}, "first, so that all of the lab's groups have one place", "", "cgroup")
	b.host(op.CgroupCreate{Dirs: dirs}, "before init makes anything: a group in each hierarchy that limits something", "cgroup")
	b.limits()
}

// controllers makes the lab's v2 group and enables controllers from the root
// down: a group can only limit what its parent passes on.
func (b *builder) controllers(parent string) {
	c := b.features.Cgroup
	var want, missing []string
	for _, name := range []string{"memory", "cpu", "pids", "io"} {
		if slices.Contains(c.V2, name) {
			want = append(want, name)
			if !slices.Contains(c.Enabled, name) {
				missing = append(missing, name)
			}
		}
	}
	if len(missing) > 0 {
		b.host(op.CgroupEnable{Dir: c.Root, Controllers: missing, Unless: parent},
			"first, because a group has only the controllers its parent lets through", "", "cgroup")
	}
	b.host(op.CgroupCreate{Dirs: []string{parent}, Shared: true}, "now: one place for all of the lab's groups, which holds no process itself", "", "cgroup")
	if len(want) > 0 {
		b.host(op.CgroupEnable{Dir: parent, Controllers: want}, "while the group is empty: a group with processes cannot pass controllers on", "", "cgroup")
	}
}

// limits writes the limits, under the names that this machine's hierarchy has.
func (b *builder) limits() {
	if !b.spec.Linux.Cgroup || !b.features.Root() {
		return
	}
	for _, l := range b.spec.Linux.Resources.Files(b.features.Cgroup.Mode) {
		hierarchy, _ := b.features.Cgroup.Dir(l.Controller) // it is there: check has looked
		file := filepath.Join(hierarchy, "cutaway", b.spec.ID, l.File)
		must := "cgroup"
		if l.Optional {
			must = ""
		}
		b.host(op.CgroupSet{File: file, Value: l.Value, Optional: l.Optional}, l.Why, must, "cgroup")
	}
}

// SavedPrefix begins the names of the files that hold settings from before.
const SavedPrefix = "saved-"

// hostNetwork makes what containers on the bridge share.
func (b *builder) hostNetwork() {
	n := b.spec.Net
	if n.Mode != "bridge" {
		return
	}
	saved := func(key string) string { return filepath.Join(n.Shared, SavedPrefix+key) }
	sysctl := func(key, value, why string) {
		b.host(op.Sysctl{Key: key, Value: value, Saved: saved(key), Unless: n.Bridge}, why, "", "sysctl", "dir")
	}
	sysctl("net.ipv4.ip_forward", "1", "first, or the host drops what is not addressed to itself")
	b.host(op.Bridge{Link: n.Bridge, Address: n.Gateway},
		"before any container's link: the bridge is the switch they all plug into", "", "link", "addr", "route", "sysctl")
	if len(n.Ports) > 0 {
		b.host(op.Sysctl{Key: "net.ipv4.conf." + n.Bridge + ".route_localnet", Value: "1"},
			"so that a port published on 127.0.0.1 may leave by the bridge", "", "sysctl")
	}
	b.host(op.Nft{Table: "cutaway-" + b.spec.ID, Bridge: n.Bridge, Address: bare(n.Address), Subnet: n.Gateway, Ports: n.Ports},
		"before the first packet: outside, nobody has a route back to the container's address", "nft")
}

// bare takes the prefix length off an address.
func bare(cidr string) string {
	for i := range cidr {
		if cidr[i] == '/' {
			return cidr[:i]
		}
	}
	return cidr
}

// birth starts init.
func (b *builder) birth() {
	s := b.spec
	c := op.Clone{}
	why := "a container is a process: this is it, still like any other"
	changes := []string{"process", "caps", "seccomp", "rlimits"}
	if s.Has("pid") {
		c.Flags |= sys.NewPID
		why = "a PID namespace takes in only children: init must be born in it"
		changes = append(changes, "pid")
	}
	if s.Has("user") {
		c.Flags |= sys.NewUser
		why = "the user namespace comes first of all: it will own every other namespace"
		changes = append(changes, "user", "idmap")
	}
	if s.Linux.Cgroup && b.features.Root() && b.features.Cgroup.Mode == features.Unified {
		c.Cgroup = filepath.Join(b.features.Cgroup.Root, "cutaway", s.ID)
		why += "; it is born into its control group as well"
	}
	b.host(c, why, append(changes, "cgroup")...)
	for _, j := range joining {
		if s.Linux.Joined[j.namespace] != "" {
			b.host(op.Setns{Path: "/proc/self/ns/" + procName(j.namespace), Flag: j.flag},
				"now that init has what it needs: our thread goes back to the host's "+j.namespace+" namespace")
		}
	}
}

// joining are the namespaces a thread of a Go program can join for itself, and
// then leave again: setns(2).
var joining = []joinable{{"network", sys.NewNet}, {"ipc", sys.NewIPC}, {"uts", sys.NewUTS}}

type joinable struct {
	namespace string // as the OCI spec calls it
	flag      int    // of setns(2)
}

// identity settles who root is inside.
func (b *builder) identity() {
	s := b.spec
	if s.Has("user") {
		if !b.features.Root() {
			b.host(op.DenySetgroups{}, "before gid_map: an ordinary user must give up setgroups first", "idmap")
		}
		b.host(op.IDMap{File: "uid_map", Mappings: s.Linux.UIDMappings},
			"from outside, once: until then every user inside is nobody ("+strconv.Itoa(overflowID)+")", "idmap", "process", "caps")
		b.host(op.IDMap{File: "gid_map", Mappings: s.Linux.GIDMappings}, "likewise for groups", "idmap", "process")
	}
	if dirs := CgroupDirs(s, b.features); len(dirs) > 0 && b.features.Cgroup.Mode != features.Unified {
		b.init(op.CgroupJoin{Dirs: dirs}, "while init still is who the host knows, and before the cgroup namespace, whose root is the group it is in then",
			"process", "cgroup")
	}
	if s.Has("user") && b.features.Root() {
		b.init(op.SetUser{Groups: []int{}},
			"now that uid 0 exists inside: init becomes it, and what it makes from here on belongs to it", "process", "caps")
	}
}

// overflowID is what an id without a mapping looks like: /proc/sys/kernel/overflowuid.
const overflowID = 65534
