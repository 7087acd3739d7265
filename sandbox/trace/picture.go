package trace

import (
	"fmt"
	"slices"
	"strings"

	"cutaway/sandbox/inspect"
)

// picture is the container with its side cut open: boxes in boxes. It is a list
// of lists, so that it can be read out, printed and read without any style.
type picture struct {
	Caption string // the picture in a sentence
	Host    box
}

// box is one object, or one place, and what is in it.
type box struct {
	Class string // how it looks: host, group, user, process, space, layers, outside
	Name  string // in words
	ID    string // as the kernel has it
	Mark  string // + ~ - as in thing
	Lines []line
	More  string // what of the lines is left out
	Boxes []box
}

// line is one fact in a box.
type line struct{ Mark, Key, Value, Note string }

// spaces of the kernel, in the order in which they are drawn.
var namespaces = []inspect.Kind{inspect.Mnt, inspect.UTS, inspect.PID, inspect.IPC,
	inspect.Net, inspect.CgroupNS, inspect.Time}

// picture draws the world; nil while there is nothing in it.
//
// A process is in one namespace of each type, and none of those is in another.
// So they are drawn side by side; around them are the user namespace, which owns
// them, and the control group, which holds the process.
func (w *world) picture() *picture {
	if len(w.things) == 0 {
		return nil
	}
	inner := w.spaces()
	if p := w.process(); p != nil {
		inner = append([]box{w.processBox(p)}, inner...)
	}
	for _, u := range w.of(inspect.User) {
		inner = []box{w.userBox(u, inner)}
	}
	inner = w.groups(inner)
	if len(w.of(inspect.Cgroup))+len(w.of(inspect.User))+len(w.of(namespaces...)) > 0 {
		// The one box that stands for nothing, so that it can say so.
		inner = []box{{Class: "around", Name: "what people call the container; the kernel has no such object", Boxes: inner}}
	}
	host := box{Class: "host", Name: "the host", Boxes: append(inner, w.outside()...)}
	if shared := w.shared(); len(shared) > 0 {
		host.Boxes = append(host.Boxes, box{Class: "shared", Name: "namespaces it shares with the host", Lines: shared})
	}
	return &picture{Caption: w.caption(), Host: host}
}

// spaces are the container's own namespaces but for the user namespace.
func (w *world) spaces() []box {
	var out []box
	for _, t := range w.of(namespaces...) {
		b := box{Class: "space", Name: kindsOf([]inspect.Kind{t.Kind}), ID: t.ID, Mark: t.mark}
		switch t.Kind {
		case inspect.Mnt:
			w.fillMnt(&b, t)
		case inspect.Net:
			b.Lines = w.network(t.ID)
		case inspect.PID:
			b.Lines = w.numbers(t)
		case inspect.IPC:
			b.Lines = w.objects(t.ID, inspect.Shm, inspect.Sem, inspect.Msg, inspect.Mqueue)
		default:
			b.Lines = facts(t, "nodename", "domainname", "monotonic", "boottime", "for")
		}
		out = append(out, b)
	}
	slices.SortStableFunc(out, func(a, b box) int { return weight(a) - weight(b) })
	return out
}

// weight puts the boxes that hold a lot before those that hold a line.
func weight(b box) int {
	switch {
	case len(b.Boxes) > 0:
		return 0
	case len(b.Lines) > 3:
		return 1
	}
	return 2
}

// userBox is the user namespace around what it owns.
func (w *world) userBox(u *thing, inner []box) box {
	b := box{Class: "user", Name: "user namespace", ID: u.ID, Mark: u.mark, Boxes: inner}
	for _, m := range w.of(inspect.IDMap) {
		if m.ID == u.ID {
			b.Lines = facts(m, "uid_map", "gid_map", "setgroups")
		}
	}
	return b
}

// groups puts the control groups around inner as they lie in each other; where
// the process is in none of ours, they stand beside it.
func (w *world) groups(inner []box) []box {
	var paths []string
	byPath := map[string][]*thing{}
	for _, g := range w.of(inspect.Cgroup) {
		path := groupPath(g.Object)
		if byPath[path] == nil {
			paths = append(paths, path)
		}
		byPath[path] = append(byPath[path], g)
	}
	slices.SortFunc(paths, func(a, b string) int { return strings.Count(b, "/") - strings.Count(a, "/") }) // the innermost first
	member := ""
	if p := w.process(); p != nil {
		member = p.Detail.Get("cgroup")
	}
	var beside []box
	holds := false
	for i, path := range paths {
		b := groupBox(path, byPath[path])
		switch {
		case !holds && slices.Contains(groupsIn(member), path):
			b.Boxes, inner, holds = inner, nil, true
			inner = []box{b}
		case holds && i > 0 && strings.HasPrefix(paths[i-1], path+"/"):
			b.Boxes = inner
			inner = []box{b}
		case !holds && len(beside) > 0 && strings.HasPrefix(beside[len(beside)-1].ID, path+"/"):
			b.Boxes = []box{beside[len(beside)-1]}
			beside[len(beside)-1] = b
		default:
			beside = append(beside, b)
		}
	}
	return append(inner, beside...)
}

// groupPath is the group's path without the v1 hierarchy it is in.
func groupPath(o inspect.Object) string {
	if _, path, v1 := strings.Cut(o.ID, ":"); v1 {
		return path
	}
	return o.ID
}

// groupsIn takes the paths out of a process's fact, which on v1 names the
// hierarchies of each: "/ (systemd v2), /cutaway/6d6206 (pids memory)".
func groupsIn(member string) []string {
	var paths []string
	for part := range strings.SplitSeq(member, ", ") {
		path, _, _ := strings.Cut(part, " ")
		paths = append(paths, strings.TrimPrefix(path, "/"))
	}
	return paths
}

// groupBox is one control group, whatever the number of hierarchies it is in.
func groupBox(path string, in []*thing) box {
	b := box{Class: "group", Name: "control group", ID: path, Mark: in[0].mark}
	for _, g := range in {
		if g.mark != b.Mark {
			b.Mark = "~" // in some of its hierarchies only
		}
		for _, f := range g.Detail {
			limit := f.Value != "" && !strings.HasPrefix(f.Value, "max") && slices.Contains(groupLimits, f.Key)
			if was := wasOf(g, f.Key); limit && !(f.Key == "cgroup.freeze" && f.Value == "0") || was {
				b.Lines = append(b.Lines, line{Mark: changedMark(was), Key: f.Key, Value: f.Value})
			}
		}
	}
	if in[0].Detail.Get("version") == "1" {
		b.Lines = append(b.Lines, line{Key: "hierarchies", Value: fmt.Sprint(len(in)), Note: "of v1"})
	}
	return b
}

// groupLimits are the facts of a control group that limit something, if they are
// not "max"; a weight always has a value and is shown when it changes.
var groupLimits = []string{"memory.max", "memory.high", "memory.swap.max", "memory and swap",
	"cpu.max", "pids.max", "io.max", "cgroup.freeze"}

// shared lists the namespaces that the process is in and the host, too.
func (w *world) shared() []line {
	p := w.process()
	if p == nil || p.mark == "-" {
		return nil
	}
	var out []line
	for _, kind := range append([]inspect.Kind{inspect.User}, namespaces...) {
		if id := p.Detail.Get(string(kind)); id != "" && w.find(kind, id) == nil {
			out = append(out, line{Key: strings.TrimSuffix(kindsOf([]inspect.Kind{kind}), " namespace"), Value: id})
		}
	}
	return out
}

// counting are the kinds that a caption counts; the others are facts of those.
var counting = []inspect.Kind{inspect.Process, inspect.Mount, inspect.Overlay, inspect.Device, inspect.Cgroup,
	inspect.Link, inspect.Addr, inspect.Route, inspect.Nft, inspect.Shm, inspect.Sem, inspect.Msg, inspect.Mqueue, inspect.Blob}

// caption says in a sentence what the picture shows.
func (w *world) caption() string {
	var own, shared []string
	for _, t := range w.of(append([]inspect.Kind{inspect.User}, namespaces...)...) {
		if t.mark != "-" {
			own = append(own, strings.TrimSuffix(kindsOf([]inspect.Kind{t.Kind}), " namespace"))
		}
	}
	for _, s := range w.shared() {
		shared = append(shared, s.Key)
	}
	var parts []string
	if len(own) > 0 {
		parts = append(parts, plural(len(own), "namespace", "namespaces")+" of its own: "+strings.Join(own, ", "))
	}
	if len(shared) > 0 {
		parts = append(parts, fmt.Sprintf("%d shared with the host: %s", len(shared), strings.Join(shared, ", ")))
	}
	var rest []inspect.Object
	for _, t := range w.things {
		if t.mark != "-" && slices.Contains(counting, t.Kind) {
			rest = append(rest, t.Object)
		}
	}
	if len(rest) > 0 {
		parts = append(parts, counted(rest))
	}
	return strings.Join(parts, "; ")
}
