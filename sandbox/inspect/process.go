package inspect

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// process adds a process and what it may do: its capabilities, its seccomp
// state and its resource limits.
func (s *survey) process(p place) {
	text, err := os.ReadFile(p.proc + "/status")
	if err != nil {
		s.gap("read process", err)
		return
	}
	status := parseStatus(text)
	s.add(Object{
		Kind:   Process,
		ID:     strconv.Itoa(p.pid),
		Where:  p.proc,
		Detail: s.processDetail(p, status),
	})
	s.caps(p, status)
	s.seccomp(p, status)
	s.rlimits(p)
}

// processDetail collects the facts of one process as the reader sees them:
// pids and uids in the reader's own namespaces.
func (s *survey) processDetail(p place, status map[string]string) Detail {
	d := Detail{}.with("name", status["Name"])
	if cmdline, err := os.ReadFile(p.proc + "/cmdline"); err == nil {
		d = d.with("command", strings.TrimRight(strings.ReplaceAll(string(cmdline), "\x00", " "), " "))
	}
	// "1234 17 1": the pid in each PID namespace from the reader's down.
	d = d.with("pids", status["NSpid"]).with("parent", status["PPid"])
	if stat, err := os.ReadFile(p.proc + "/stat"); err == nil {
		if f := statFields(stat); len(f) > 19 {
			d = d.with("started", f[19]+" ticks after boot")
		}
	}
	d = d.with("exe", link(p.proc+"/exe")).with("root", link(p.proc+"/root"))
	// After pivot_root the link still reads "/": the inode tells the roots apart.
	if info, err := os.Stat(p.proc + "/root"); err == nil {
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			d = d.with("root inode", fmt.Sprintf("%d on %s", st.Ino, DeviceNumber(st.Dev)))
		}
	}
	d = d.with("cwd", link(p.proc+"/cwd"))
	d = d.with("uid", credential(status["Uid"])).with("gid", credential(status["Gid"]))
	d = d.with("groups", status["Groups"])
	if text, err := readText(p.proc + "/oom_score_adj"); err == nil && text != "0" {
		d = d.with("oom_score_adj", text)
	}
	if text, err := readText(p.proc + "/cgroup"); err == nil {
		d = d.with("cgroup", cgroupPaths(text))
	}
	for _, kind := range nsKinds {
		d = d.with(string(kind), p.ns[kind])
	}
	if strings.HasPrefix(status["State"], "Z") {
		d = d.with("state", status["State"]) // having ended is a change, waiting for input is not
	} else {
		d = d.withVolatile("state", status["State"])
	}
	d = d.withVolatile("threads", status["Threads"])
	if fds, err := readNames(p.proc + "/fd"); err == nil {
		d = d.withVolatile("fds", strconv.Itoa(len(fds)))
	}
	return d
}

// link returns where a symbolic link points, or "" when it is gone or not
// ours to read.
func link(path string) string {
	target, err := os.Readlink(path)
	if err != nil {
		return ""
	}
	return target
}

// credential shortens the four ids of a Uid or Gid line (credentials(7)):
// "1000" when all are equal.
func credential(line string) string {
	f := strings.Fields(line)
	if len(f) != 4 {
		return line
	}
	if f[0] == f[1] && f[1] == f[2] && f[2] == f[3] {
		return f[0]
	}
	return fmt.Sprintf("real %s, effective %s, saved %s, fs %s", f[0], f[1], f[2], f[3])
}

// DeviceNumber writes a device number as mountinfo does (makedev(3)).
func DeviceNumber(dev uint64) string {
	major := dev>>8&0xfff | dev>>32&^uint64(0xfff)
	minor := dev&0xff | dev>>12&^uint64(0xff)
	return fmt.Sprintf("%d:%d", uint32(major), uint32(minor))
}

// cgroupPaths shortens /proc/PID/cgroup (cgroups(7)): on cgroup v2 just the
// path, else each distinct path once with the controllers it is for.
func cgroupPaths(text string) string {
	var paths []string
	names := map[string][]string{}
	for line := range strings.Lines(text) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, path, found := strings.Cut(rest, ":")
		if !found {
			continue
		}
		if controllers == "" {
			controllers = "v2"
		}
		if names[path] == nil {
			paths = append(paths, path)
		}
		names[path] = append(names[path], strings.TrimPrefix(controllers, "name="))
	}
	if len(paths) == 1 && len(names[paths[0]]) == 1 && names[paths[0]][0] == "v2" {
		return paths[0]
	}
	var out []string
	for _, path := range paths {
		out = append(out, path+" ("+strings.Join(names[path], " ")+")")
	}
	return strings.Join(out, ", ")
}
