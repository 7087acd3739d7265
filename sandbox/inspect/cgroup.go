package inspect

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// hierarchy is a mounted cgroup file system: the one of version 2, or one of
// the several of version 1, each with its own controllers (cgroups(7)).
type hierarchy struct {
	mount       string // where it is mounted
	root        string // the cgroup that appears there, usually "/"
	version     int
	controllers string // v1 only: "memory", "cpu,cpuacct", "name=systemd"
}

// hierarchies finds them in the reader's mount table. A hybrid machine has
// both versions at once.
func hierarchies(table []mountEntry) []hierarchy {
	var found []hierarchy
	for _, m := range table {
		h := hierarchy{mount: m.target, root: m.root, version: 2}
		switch m.fstype {
		case "cgroup2":
		case "cgroup":
			h.version = 1
			h.controllers = v1Controllers(m.super)
		default:
			continue
		}
		same := func(o hierarchy) bool { return o.version == h.version && o.controllers == h.controllers }
		if !slices.ContainsFunc(found, same) {
			found = append(found, h)
		}
	}
	return found
}

// v1Controllers picks the controllers out of a v1 mount's options.
func v1Controllers(options string) string {
	var names []string
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "rw", "ro", "noprefix", "xattr", "clone_children", "cpuset_v2_mode", "none":
		default:
			if !strings.HasPrefix(option, "release_agent=") {
				names = append(names, option)
			}
		}
	}
	return strings.Join(names, ",")
}

// hostCgroups adds the control groups named cutaway: at the top of each
// hierarchy, and below the reader's own group, where a session without root
// may be allowed to make them.
func (s *survey) hostCgroups() {
	own, err := readText("/proc/self/cgroup")
	s.gap("read own cgroup", err)
	for _, h := range hierarchies(s.readMounts(s.self)) {
		s.cgroupTreeIn(h, filepath.Join(h.mount, "cutaway"))
		if dir := h.dirOf(own); dir != "" && dir != h.mount {
			s.cgroupTreeIn(h, filepath.Join(dir, "cutaway"))
		}
	}
}

// cgroupsOf adds the control groups that p is in, but for the roots of the
// hierarchies, which limit nothing.
func (s *survey) cgroupsOf(p place) {
	text, err := readText(p.proc + "/cgroup")
	s.gap("read cgroups", err)
	for _, h := range hierarchies(s.readMounts(s.self)) {
		if dir := h.dirOf(text); dir != "" && dir != h.mount {
			s.cgroup(h, dir)
		}
	}
}

// dirOf returns the directory in h of the cgroup that /proc/PID/cgroup names,
// or "" when h's mount does not show it.
func (h hierarchy) dirOf(text string) string {
	for line := range strings.Lines(text) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 || f[1] != h.controllers {
			continue
		}
		path, visible := strings.CutPrefix(f[2], strings.TrimSuffix(h.root, "/"))
		if !visible || strings.HasPrefix(path, "/..") {
			return ""
		}
		return filepath.Join(h.mount, path)
	}
	return ""
}

// cgroupTree adds the control group at dir and those below it.
func (s *survey) cgroupTree(dir string) {
	real, err := filepath.EvalSymlinks(dir) // /sys/fs/cgroup/cpu may lead to cpu,cpuacct
	if err != nil {
		s.gap("find cgroup", err)
		return
	}
	for _, h := range hierarchies(s.readMounts(s.self)) {
		if real == h.mount || strings.HasPrefix(real, h.mount+"/") {
			s.cgroupTreeIn(h, real)
			return
		}
	}
	s.snap.Gaps = append(s.snap.Gaps, "find cgroup "+dir+": not in a mounted cgroup hierarchy")
}

func (s *survey) cgroupTreeIn(h hierarchy, dir string) {
	if _, err := os.Stat(dir + "/cgroup.procs"); err != nil {
		s.gap("find cgroup", err)
		return
	}
	s.cgroup(h, dir)
	for _, entry := range s.children(dir) {
		if entry.IsDir() {
			s.cgroupTreeIn(h, filepath.Join(dir, entry.Name()))
		}
	}
}

// cgroup adds one control group. Its facts go by the names of version 2; where
// a v1 file was read instead, Where lists it.
func (s *survey) cgroup(h hierarchy, dir string) {
	path := strings.TrimPrefix(filepath.Join(h.root, strings.TrimPrefix(dir, h.mount)), "/")
	if path == "" {
		path = "/"
	}
	id, d, where := path, Detail{}.with("version", strconv.Itoa(h.version)), dir
	if h.version == 1 {
		id = h.controllers + ":" + path
		d = d.with("controllers", h.controllers)
	}
	if info, err := os.Stat(dir); err == nil {
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			d = d.with("inode", strconv.FormatUint(st.Ino, 10))
		}
	}
	var files []string
	for _, k := range cgroupKnobs {
		value, file := k.read(h.version, dir)
		d = append(d, Detail{}.with(k.key, value)...)
		if k.volatile && value != "" {
			d[len(d)-1].Volatile = true
		} else if value != "" && file != k.key {
			files = append(files, file)
		}
	}
	if procs, err := readText(dir + "/cgroup.procs"); err == nil {
		d = d.withVolatile("processes", strconv.Itoa(len(strings.Fields(procs))))
	}
	if len(files) > 0 {
		where += "/{" + strings.Join(files, ",") + "}"
	}
	s.add(Object{Kind: Cgroup, ID: id, Where: where, Detail: d})
}

// knob is one fact about a control group: the v2 file, with the key of a line
// in it where it has several, and the v1 file with a conversion where the two
// versions count differently.
type knob struct {
	key      string
	v1       string
	convert  func(v1, dir string) string
	pick     func(text, key string) string // finds the key's value; nil is keyedValue
	volatile bool
}

// cgroupKnobs are limits, then usage, then events (cgroup-v2.rst and
// cgroup-v1/ in the kernel's documentation).
var cgroupKnobs = []knob{
	{key: "cgroup.controllers"},
	{key: "cgroup.subtree_control"},
	{key: "memory.max", v1: "memory.limit_in_bytes", convert: v1Unlimited},
	{key: "memory.high", v1: "memory.soft_limit_in_bytes", convert: v1Unlimited},
	{key: "memory.swap.max"},
	{key: "memory and swap", v1: "memory.memsw.limit_in_bytes", convert: v1Unlimited}, // v1 counts both in one
	{key: "memory.oom.group"},
	{key: "cpu.max", v1: "cpu.cfs_quota_us", convert: v1Quota},
	{key: "cpu.weight", v1: "cpu.shares", convert: v1Shares},
	{key: "cpuset.cpus", v1: "cpuset.cpus"},
	{key: "pids.max", v1: "pids.max"},
	{key: "io.max", v1: "blkio.throttle.read_bps_device", convert: v1Throttle},
	{key: "devices", v1: "devices.list", convert: v1Lines},
	{key: "cgroup.freeze", v1: "freezer.state", convert: v1Frozen},

	{key: "memory.current", v1: "memory.usage_in_bytes", volatile: true},
	{key: "memory.peak", v1: "memory.max_usage_in_bytes", volatile: true},
	{key: "memory.swap.current", volatile: true},
	{key: "pids.current", v1: "pids.current", volatile: true},
	{key: "cpu.stat usage_usec", v1: "cpuacct.usage", convert: v1Nanoseconds, volatile: true},
	{key: "cpu.stat nr_throttled", v1: "cpu.stat nr_throttled", volatile: true},
	{key: "cpu.stat throttled_usec", v1: "cpu.stat throttled_time", convert: v1Nanoseconds, volatile: true},
	{key: "io.stat rbytes", v1: "blkio.throttle.io_service_bytes Read", pick: allDisks, volatile: true},
	{key: "io.stat wbytes", v1: "blkio.throttle.io_service_bytes Write", pick: allDisks, volatile: true},
	{key: "memory.events high", volatile: true},
	{key: "memory.events max", v1: "memory.failcnt", volatile: true},
	{key: "memory.events oom", volatile: true},
	{key: "memory.events oom_kill", v1: "memory.oom_control oom_kill", volatile: true},
	{key: "memory.events oom_group_kill", volatile: true},
	{key: "pids.events max", v1: "pids.events max", volatile: true},
	{key: "cgroup.events populated", volatile: true},
	{key: "cgroup.events frozen", volatile: true},
	{key: "memory.pressure some", volatile: true},
	{key: "cpu.pressure some", volatile: true},
	{key: "io.pressure some", volatile: true},
}

// read returns the value in the terms of version 2 and the file it came from,
// or "" when this kernel or this group has no such file.
func (k knob) read(version int, dir string) (value, file string) {
	from := k.key
	if version == 1 {
		from = k.v1
	}
	if from == "" {
		return "", ""
	}
	file, key, keyed := strings.Cut(from, " ")
	text, err := readText(filepath.Join(dir, file))
	if err != nil {
		return "", ""
	}
	switch {
	case keyed && k.pick != nil:
		text = k.pick(text, key)
	case keyed:
		text = keyedValue(text, key)
	case version == 2:
		text = lines(text)
	}
	if version == 1 && k.convert != nil {
		text = k.convert(text, dir)
	}
	return text, file
}

// keyedValue finds "key value..." among the lines of a file.
func keyedValue(text, key string) string {
	for line := range strings.Lines(text) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), " "); found && name == key {
			return value
		}
	}
	return ""
}

// v1Unlimited: v1 writes the largest multiple of the page size for "no limit".
func v1Unlimited(text, _ string) string {
	if n, err := strconv.ParseUint(text, 10, 64); err == nil && n >= 1<<62 {
		return "max"
	}
	return text
}

// v1Quota joins the two v1 files that are one in v2: "50000 100000".
func v1Quota(quota, dir string) string {
	if quota == "-1" {
		quota = "max"
	}
	period, err := readText(dir + "/cpu.cfs_period_us")
	if err != nil {
		return quota
	}
	return quota + " " + period
}

// v1Shares keeps the number: weights and shares have different scales (1 to
// 10000 and 2 to 262144), and a converted one was never read anywhere.
func v1Shares(text, _ string) string { return text + " shares" }

func v1Lines(text, _ string) string { return lines(text) }

// v1Frozen: THAWED, FREEZING and FROZEN against 0 and 1.
func v1Frozen(text, _ string) string {
	switch text {
	case "THAWED":
		return "0"
	case "FROZEN":
		return "1"
	}
	return text
}

// v1Nanoseconds converts to the microseconds of v2.
func v1Nanoseconds(text, _ string) string {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return text
	}
	return strconv.FormatUint(n/1000, 10)
}
