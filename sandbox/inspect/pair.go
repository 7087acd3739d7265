package inspect

import (
	"slices"
	"strings"
)

// Row is one line of a comparison of two processes: what is the same, or what
// each has. An empty A or B means that side has no such thing.
type Row struct {
	Kind Kind   `json:"kind"`
	Name string `json:"name"`
	A    string `json:"a"`
	B    string `json:"b"`
	Same bool   `json:"same"`
}

// Pair compares two processes (Snapshots from OfProcess) object by object.
// Namespaces are the same when their inodes are. Facts about the process are
// compared one by one; things it has many of (mounts, links, devices) are
// matched by the name they have inside, whatever their number.
func Pair(a, b *Snapshot) []Row {
	left, right := sideOf(a), sideOf(b)
	var rows []Row
	for _, kind := range Kinds {
		names := slices.Clone(left.names[kind])
		for _, name := range right.names[kind] {
			if _, both := left.values[kind][name]; !both {
				names = append(names, name)
			}
		}
		for _, name := range names {
			va, inA := left.values[kind][name]
			vb, inB := right.values[kind][name]
			row := Row{Kind: kind, Name: name, A: va, B: vb, Same: inA && inB && va == vb}
			if kind == Caps && !row.Same {
				row.A, row.B = onlyIn(va, vb), onlyIn(vb, va)
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// side is one process's Snapshot as comparable values under comparable names.
type side struct {
	names  map[Kind][]string // in order
	values map[Kind]map[string]string
}

// factKinds are objects a process has one of: each fact becomes a row.
var factKinds = []Kind{Process, Caps, Seccomp, Rlimits, IDMap}

// unpaired are facts that differ between any two processes and say nothing
// about what they may do, or that have rows of their own.
var unpaired = map[string]bool{
	"pids": true, "parent": true, "started": true, "root inode": true, "index": true,
	"in": true, "device": true, "inode": true, "mac": true, "peer": true, "relative to": true,
	"owner": true,
}

func sideOf(s *Snapshot) side {
	out := side{names: map[Kind][]string{}, values: map[Kind]map[string]string{}}
	for _, o := range s.Objects {
		switch {
		case slices.Contains(nsKinds, o.Kind):
			name := "namespace"
			if o.Detail.Get("for") != "" {
				name = "namespace for children"
			}
			out.put(o.Kind, name, o.ID)
		case slices.Contains(factKinds, o.Kind):
			for _, f := range o.Detail {
				if !f.Volatile && !unpaired[f.Key] && nsFile[Kind(f.Key)] == "" {
					out.put(o.Kind, f.Key, f.Value)
				}
			}
		case o.Kind == Cgroup:
			controllers, _, _ := strings.Cut(o.ID, ":")
			if o.Detail.Get("version") == "2" {
				controllers = "v2"
			}
			for _, f := range o.Detail {
				if !f.Volatile && !unpaired[f.Key] && f.Key != "version" && f.Key != "controllers" {
					out.put(o.Kind, controllers+" "+f.Key, f.Value)
				}
			}
		default:
			out.put(o.Kind, nameInside(o), factsOf(o))
		}
	}
	return out
}

// put keeps a value under a name; what is stacked under one name (two mounts on
// one target) is told in order.
func (s side) put(kind Kind, name, value string) {
	if s.values[kind] == nil {
		s.values[kind] = map[string]string{}
	}
	if old, taken := s.values[kind][name]; taken {
		s.values[kind][name] = old + " | " + value
		return
	}
	s.names[kind] = append(s.names[kind], name)
	s.values[kind][name] = value
}

// nameInside is the part of an object's identity that its users know it by: a
// path, a name. The namespace after the last @ is not.
func nameInside(o Object) string {
	switch o.Kind {
	case Mount, Overlay:
		return o.Detail.Get("target")
	}
	name, _, _ := cutLast(o.ID, "@")
	return name
}

// factsOf puts the lasting facts of an object into one text; a mount's parent
// and propagation are numbers of its own namespace.
func factsOf(o Object) string {
	var facts []string
	for _, f := range o.Detail {
		if f.Volatile || unpaired[f.Key] || f.Value == "" || o.Kind == Mount && (f.Key == "target" || f.Key == "propagation") {
			continue
		}
		facts = append(facts, f.Value)
	}
	return strings.Join(facts, " ")
}

// onlyIn reduces a set of capabilities to those the other side lacks. Sets
// told by "all" or "none" are short already.
func onlyIn(set, other string) string {
	if set == "" || set == "none" || strings.HasPrefix(set, "all") || strings.HasPrefix(other, "all") || other == "none" {
		return set
	}
	theirs := strings.Fields(other)
	var only []string
	for _, name := range strings.Fields(set) {
		if !slices.Contains(theirs, name) {
			only = append(only, name)
		}
	}
	if len(only) == 0 {
		return "nothing more"
	}
	return "also " + strings.Join(only, " ")
}
