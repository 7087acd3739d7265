package inspect

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// mountEntry is one line of /proc/PID/mountinfo (proc_pid_mountinfo(5)).
type mountEntry struct {
	id, parent  int
	device      string // major:minor of the file system
	root        string // the directory of the file system that is mounted
	target      string // where, relative to the process's root
	options     string // of this mount
	propagation string // "shared:1", "master:2", "unbindable", or "private" for none
	fstype      string
	source      string
	super       string // options of the file system, whichever way it is mounted
}

// mounts adds every mount of p's mount namespace that p can see.
func (s *survey) mounts(p place) {
	for _, m := range s.readMounts(p) {
		s.add(Object{
			Kind:  Mount,
			ID:    "mount " + strconv.Itoa(m.id),
			Where: p.proc + "/mountinfo",
			Detail: Detail{}.
				with("target", m.target).
				with("type", m.fstype).
				with("source", m.source).
				with("root", m.root).
				with("options", m.options).
				with("super", m.super).
				with("propagation", m.propagation).
				with("parent", "mount "+strconv.Itoa(m.parent)).
				with("device", m.device).
				with("in", p.ns[Mnt]),
		})
		if m.fstype == "overlay" {
			s.overlay(p, m)
		}
	}
}

// readMounts reads the mount table of p's mount namespace, once: what a second
// process in it could see is the same but for its root.
func (s *survey) readMounts(p place) []mountEntry {
	if table, read := s.tables[p.ns[Mnt]]; read {
		return table
	}
	path := p.proc + "/mountinfo"
	text, err := os.ReadFile(path)
	if err != nil {
		s.gap("read mount table", err)
		return nil
	}
	table, err := parseMountinfo(string(text))
	s.gap("parse "+path, err)
	s.tables[p.ns[Mnt]] = table
	return table
}

// parseMountinfo parses the lines it understands and returns an error that
// names the first it does not.
func parseMountinfo(text string) ([]mountEntry, error) {
	var table []mountEntry
	var bad error
	for line := range strings.Lines(text) {
		m, err := parseMountLine(strings.TrimSuffix(line, "\n"))
		if err != nil {
			if bad == nil {
				bad = err
			}
			continue
		}
		table = append(table, m)
	}
	return table, bad
}

// parseMountLine parses
//
//	36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext4 /dev/root rw,errors=continue
//
// where any number of optional fields stand before the hyphen.
func parseMountLine(line string) (mountEntry, error) {
	before, after, found := strings.Cut(line, " - ")
	f := strings.Fields(before)
	// The source may be empty ("none" is only a habit), so blanks count here.
	g := strings.Split(after, " ")
	if !found || len(f) < 6 || len(g) < 3 {
		return mountEntry{}, fmt.Errorf("parse mount %q: too few fields", line)
	}
	id, err := strconv.Atoi(f[0])
	if err != nil {
		return mountEntry{}, fmt.Errorf("parse mount %q: id: %w", line, err)
	}
	parent, err := strconv.Atoi(f[1])
	if err != nil {
		return mountEntry{}, fmt.Errorf("parse mount %q: parent: %w", line, err)
	}
	m := mountEntry{
		id: id, parent: parent, device: f[2],
		root: unescape(f[3]), target: unescape(f[4]), options: f[5],
		propagation: strings.Join(f[6:], " "),
		fstype:      g[0], source: unescape(g[1]), super: unescape(g[2]),
	}
	if m.propagation == "" {
		m.propagation = "private"
	}
	return m, nil
}

// unescape undoes the octal escapes (\040 for a blank) with which the kernel
// keeps mountinfo one line a mount and one blank a field. It is applied once:
// what an option value escapes for its own syntax stays.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
