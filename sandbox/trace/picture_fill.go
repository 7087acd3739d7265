package trace

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"cutaway/sandbox/inspect"
)

// manyInBox is how many lines a box may have before most are left out.
const manyInBox = 9

// facts are some of an object's facts, each a line.
func facts(t *thing, keys ...string) []line {
	var out []line
	for _, key := range keys {
		if value := t.Detail.Get(key); value != "" {
			out = append(out, line{Mark: changedMark(wasOf(t, key)), Key: key, Value: value})
		}
	}
	return out
}

// wasOf tells whether the last step changed that fact.
func wasOf(t *thing, key string) bool {
	return slices.ContainsFunc(t.Was, func(f inspect.Field) bool { return f.Key == key })
}

func changedMark(changed bool) string {
	if changed {
		return "~"
	}
	return ""
}

// crowded leaves out most of many lines: first what is gone, last what is new.
func (b *box) crowded(lines []line, why string) {
	if len(lines) <= manyInBox {
		b.Lines = lines
		return
	}
	room := manyInBox - 1
	keep := map[int]bool{}
	for _, marks := range []string{"+~", " ", "-"} {
		for i, l := range lines {
			if strings.Contains(marks, cmp.Or(l.Mark, " ")) && len(keep) < room {
				keep[i] = true
			}
		}
	}
	for i, l := range lines {
		if keep[i] {
			b.Lines = append(b.Lines, l)
		}
	}
	b.More = fmt.Sprintf("and %d more%s", len(lines)-room, why)
}

// processBox is the process: who it is and what it may do.
func (w *world) processBox(p *thing) box {
	b := box{Class: "process", Name: "process", ID: p.ID, Mark: p.mark}
	b.Lines = facts(p, "command", "uid", "gid", "root")
	// It has one number for each PID namespace it is in, the host's first.
	if _, inner, nested := strings.Cut(p.Detail.Get("pids"), " "); nested {
		b.Lines = slices.Insert(b.Lines, 1, line{Key: "pid inside", Value: inner})
	}
	for _, t := range w.of(inspect.Caps, inspect.Seccomp, inspect.Rlimits) {
		if t.ID != p.ID || t.mark == "-" {
			continue
		}
		l := line{Mark: changedMark(len(t.Was) > 0)}
		switch t.Kind {
		case inspect.Caps:
			l.Key, l.Value = "capabilities", powers(t.Object)
		case inspect.Seccomp:
			l.Key, l.Value = "seccomp", t.Detail.Get("mode")
			if t.Detail.Get("no_new_privs") == "yes" {
				l.Note = "no_new_privs"
			}
		case inspect.Rlimits:
			if !t.touched {
				continue
			}
			l.Key, l.Value = "open files", t.Detail.Get("RLIMIT_NOFILE")
		}
		b.Lines = append(b.Lines, l)
	}
	return b
}

// powers counts capabilities where there are too many to name.
func powers(o inspect.Object) string {
	effective, bounding := few41(o.Detail.Get("effective")), few41(o.Detail.Get("bounding"))
	if effective == bounding {
		return effective
	}
	return effective + ", at most " + bounding
}

// few41 says how many of them a list of capabilities has.
func few41(list string) string {
	if n := len(strings.Fields(list)); n > 2 && strings.HasPrefix(list, "CAP_") {
		return fmt.Sprint(n)
	}
	return list
}

// numbers says which process is number 1 in a PID namespace.
func (w *world) numbers(ns *thing) []line {
	p := w.process()
	if p == nil || p.Detail.Get(string(inspect.PID)) != ns.ID {
		return facts(ns, "for")
	}
	pids := strings.Fields(p.Detail.Get("pids"))
	return []line{{Key: "number " + pids[len(pids)-1], Value: "process " + p.ID}}
}

// fillMnt is a mount table: where, and what; under it the layers of an overlay
// and the device files.
func (w *world) fillMnt(b *box, ns *thing) {
	var mounts, devices []line
	why := ""
	for _, t := range w.of(inspect.Mount, inspect.Device) {
		if within(t.Object) != ns.ID {
			continue
		}
		d := t.Detail
		if t.Kind == inspect.Device {
			devices = append(devices, line{Mark: t.mark, Value: local(t.Object)})
			continue
		}
		note := d.Get("type")
		if p := d.Get("propagation"); p != "" && p != "private" {
			note += ", " + p
		}
		if opts := d.Get("options"); strings.HasPrefix(opts, "ro,") || opts == "ro" {
			note += ", ro"
		}
		mounts = append(mounts, line{Mark: t.mark, Value: d.Get("target"), Note: note})
	}
	slices.SortStableFunc(mounts, func(a, b line) int { return strings.Compare(a.Value, b.Value) }) // as they lie in each other
	if ns.mark == "+" {
		why = ", copies of the ones outside"
	}
	b.crowded(mounts, why)
	for _, t := range w.of(inspect.Overlay) {
		if within(t.Object) == ns.ID {
			b.Boxes = append(b.Boxes, layers(t))
		}
	}
	if len(b.Boxes) > 0 {
		b.Class += " wide"
	}
	if len(devices) > 0 {
		dev := box{Class: "chips", Name: "devices"}
		dev.crowded(devices, "")
		b.Boxes = append(b.Boxes, dev)
	}
}

// layers is an overlay as it lies on disk: the upper directory on top.
func layers(t *thing) box {
	b := box{Class: "layers", Name: "overlay at", ID: t.Detail.Get("target"), Mark: t.mark}
	for _, f := range t.Detail {
		if f.Key == "upper" || strings.HasPrefix(f.Key, "lower") {
			l := line{Mark: changedMark(wasOf(t, f.Key)), Key: f.Key, Value: tail(f.Value)}
			if f.Key == "upper" {
				b.Lines = append([]line{l}, b.Lines...)
				continue
			}
			b.Lines = append(b.Lines, l)
		}
	}
	return b
}

// tail is the part of a layer's path that tells it from the others: its digest,
// or the directory that it is in, and its name.
func tail(dir string) string {
	name := shortHex(path.Base(dir))
	if name != path.Base(dir) {
		return name
	}
	return path.Join(path.Base(path.Dir(dir)), name)
}

// network lists what is in a network namespace: links with their addresses, then
// routes, rules and the knobs that were turned. ns "" is the host's.
func (w *world) network(ns string) []line {
	var out []line
	inside := func(t *thing) bool {
		if ns == "" {
			return w.find(inspect.Net, within(t.Object)) == nil
		}
		return within(t.Object) == ns
	}
	for _, t := range w.of(inspect.Link, inspect.Addr, inspect.Route, inspect.Nft, inspect.Sysctl) {
		if !inside(t) {
			continue
		}
		l := line{Mark: t.mark, Key: string(t.Kind), Value: local(t.Object)}
		switch t.Kind {
		case inspect.Link:
			l.Note = strings.TrimSpace(t.Detail.Get("type") + " " + t.Detail.Get("state"))
			if master := t.Detail.Get("master"); master != "" {
				l.Note += ", in " + master
			}
		case inspect.Route:
			if via := t.Detail.Get("via"); via != "" {
				l.Note = "via " + via
			}
		case inspect.Nft:
			l.Note = t.Detail.Get("rules") + " rules"
		case inspect.Sysctl:
			if !t.touched {
				continue
			}
			l.Note = "= " + t.Detail.Get("value")
		}
		out = append(out, l)
	}
	return out
}

// objects lists what of some kinds is in a namespace.
func (w *world) objects(ns string, kinds ...inspect.Kind) []line {
	var out []line
	for _, t := range w.of(kinds...) {
		if within(t.Object) == ns {
			out = append(out, line{Mark: t.mark, Key: string(t.Kind), Value: local(t.Object),
				Note: strings.TrimSpace(strings.TrimPrefix(t.Short(), t.ID))})
		}
	}
	return out
}

// outside is what the host has because of the container.
func (w *world) outside() []box {
	var out []box
	if lines := w.network(""); len(lines) > 0 {
		out = append(out, box{Class: "outside", Name: "the host's network", Lines: lines})
	}
	var blobs, dirs []line
	for _, t := range w.of(inspect.Blob) {
		blobs = append(blobs, line{Mark: t.mark, Key: t.Detail.Get("role"), Value: shortDigest(t.ID), Note: t.Detail.Get("size")})
	}
	for _, t := range w.of(inspect.Dir) {
		if !w.below(t) {
			dirs = append(dirs, line{Mark: t.mark, Value: shortHex(t.ID)})
		}
	}
	if len(blobs) > 0 {
		b := box{Class: "outside", Name: "the image, as blobs"}
		b.crowded(blobs, "")
		out = append(out, b)
	}
	if len(dirs) > 0 {
		b := box{Class: "outside", Name: "the host's directories"}
		b.crowded(dirs, "")
		out = append(out, b)
	}
	return out
}

// below tells a directory that lies in another one of the picture, which was
// made by the same step or before.
func (w *world) below(t *thing) bool {
	parent := w.find(inspect.Dir, path.Dir(t.ID))
	return parent != nil && parent.mark == t.mark && w.find(inspect.Dir, path.Dir(parent.ID)) != nil
}

// shortDigest keeps of a digest what people compare.
func shortDigest(id string) string {
	algorithm, hex, found := strings.Cut(id, ":")
	if !found || len(hex) <= 12 {
		return id
	}
	return algorithm + ":" + hex[:12]
}
