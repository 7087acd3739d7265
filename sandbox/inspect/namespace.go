package inspect

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"cutaway/sandbox/sys"
)

// namespaces adds the namespaces of p. Those it shares with the reader are
// objects too: a namespace counts as created only when a new inode appears.
func (s *survey) namespaces(p place) {
	for _, kind := range nsKinds {
		if id := p.ns[kind]; id != "" {
			file := p.proc + "/ns/" + nsFile[kind]
			detail := s.nsContents(kind, id, p)
			s.addNamespace(kind, id, file, detail)
		}
	}
	if user := p.ns[User]; user != "" {
		s.idmap(p, user)
	}
}

// forChildren adds the namespaces that the next child of p will be in, when
// they are not p's own: unshare(2) moves only children into a new PID or time
// namespace, and exec enters a time namespace only since Linux 6.3.
func (s *survey) forChildren(p place) {
	for _, kind := range []Kind{PID, Time} {
		file := p.proc + "/ns/" + nsFile[kind] + "_for_children"
		id, err := os.Readlink(file)
		// A PID namespace without its first process has an empty link.
		if err != nil || id == "" || id == p.ns[kind] {
			continue
		}
		detail := Detail{}.with("for", "children of "+strconv.Itoa(p.pid))
		if kind == Time {
			detail = append(detail, timeOffsets(p)...)
		}
		s.addNamespace(kind, id, file, detail)
	}
}

// addNamespace adds one namespace with the facts every kind has: who owns it,
// its parent where the kind is hierarchical, and how many processes are in it.
func (s *survey) addNamespace(kind Kind, id, file string, contents Detail) {
	detail := append(Detail{}, contents...)
	if kind == User {
		// A user namespace is owned by its parent: one fact, not two.
		if uid, err := sys.NamespaceOwnerUID(file); err == nil {
			detail = detail.with("owner uid", strconv.FormatUint(uint64(uid), 10))
		}
	} else if inode, err := sys.NamespaceOwner(file); err == nil {
		detail = detail.with("owner", fmt.Sprintf("user:[%d]", inode))
	}
	if kind == User || kind == PID {
		// The initial namespaces have no parent, and one outside the reader's
		// view is not shown: both answer EPERM (ioctl_ns(2)).
		if inode, err := sys.NamespaceParent(file); err == nil {
			detail = detail.with("parent", fmt.Sprintf("%s:[%d]", nsFile[kind], inode))
		}
	}
	detail = detail.with("pinned", s.pins[id])
	detail = detail.withVolatile("processes", strconv.Itoa(s.machine.population[id]))
	s.add(Object{Kind: kind, ID: id, Where: file, Detail: detail})
}

// nsContents returns what the namespace itself holds, for the kinds that hold
// a few values rather than objects of their own.
func (s *survey) nsContents(kind Kind, id string, p place) Detail {
	switch kind {
	case UTS:
		if names, read := s.names[id]; read {
			return Detail{}.with("nodename", names[0]).with("domainname", names[1])
		}
	case Time:
		// The offsets file is about the namespace for children.
		if link, err := os.Readlink(p.proc + "/ns/time_for_children"); err == nil && link == id {
			return timeOffsets(p)
		}
	}
	return nil
}

// timeOffsets reads how far the clocks of the time namespace for p's children
// are from the host's, in seconds and nanoseconds (time_namespaces(7)).
func timeOffsets(p place) Detail {
	text, err := os.ReadFile(p.proc + "/timens_offsets")
	if err != nil {
		return nil // before Linux 5.6, or gone
	}
	return parseOffsets(string(text))
}

func parseOffsets(text string) Detail {
	var detail Detail
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue
		}
		value := f[1] + " s"
		if f[2] != "0" {
			value += " " + f[2] + " ns"
		}
		detail = detail.with(f[0], value)
	}
	return detail
}

// look reads what is inside the namespaces of p that nobody looked into
// before. Those it shares with the reader are read only if shared is set; the
// others by a thread that joins them.
func (s *survey) look(p place, shared bool) {
	var join []string
	var kinds []Kind
	for _, kind := range []Kind{UTS, IPC, Net} {
		id := p.ns[kind]
		switch {
		case id == "" || s.looked[id]:
		case id != s.self.ns[kind]:
			join, kinds = append(join, nsFile[kind]), append(kinds, kind)
		case shared || kind == UTS:
			s.inside(kind, p)
		}
	}
	if len(join) > 0 {
		err := sys.Inside(p.pid, join, func() error {
			for _, kind := range kinds {
				s.inside(kind, p)
			}
			return nil
		})
		s.gap(fmt.Sprintf("look into %s of process %d", strings.Join(join, ", "), p.pid), err)
	}
	// A mount namespace needs no joining: /proc/PID/mountinfo and /proc/PID/root
	// lead into it.
	if id := p.ns[Mnt]; id != "" && !s.looked[id] && (shared || id != s.self.ns[Mnt]) {
		s.looked[id] = true
		s.mounts(p)
		s.devices(p)
	}
}

// inside reads one namespace from a thread that is in it.
func (s *survey) inside(kind Kind, p place) {
	s.looked[p.ns[kind]] = true
	switch kind {
	case UTS:
		node, domain, err := sys.Nodename()
		s.gap("read names of "+p.ns[UTS], err)
		s.names[p.ns[UTS]] = [2]string{node, domain}
	case IPC:
		s.sysvIPC(p)
	case Net:
		s.network(p)
		s.nftables(p)
		s.sysctls(p)
	}
}

// findPins lists the namespaces that the reader's mount table keeps alive
// whether or not a process is in them: bind mounts of namespace files in the
// lab's own directory.
func (s *survey) findPins() {
	for _, m := range s.readMounts(s.self) {
		if m.fstype == "nsfs" && strings.HasPrefix(m.target, "/run/cutaway/") {
			s.pins[m.root] = m.target
		}
	}
}

// pinned adds those that no process in scope is in.
func (s *survey) pinned() {
	for id, file := range s.pins {
		name, _, _ := strings.Cut(id, ":")
		for _, kind := range nsKinds {
			if nsFile[kind] == name {
				s.addNamespace(kind, id, file, nil)
			}
		}
	}
}
