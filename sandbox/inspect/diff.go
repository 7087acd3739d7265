package inspect

import "slices"

// Diff is what changed between two Snapshots. Created and Changed hold objects
// of the later one, in its order; a Changed object carries in Was the earlier
// values of the facts that changed. Removed holds objects of the earlier one.
type Diff struct {
	Created []Object `json:"created,omitempty"`
	Changed []Object `json:"changed,omitempty"`
	Removed []Object `json:"removed,omitempty"`
}

// identity names, for kinds whose IDs the kernel gives out again, the facts
// that never change while the object lives. Another value is another object:
// the old one was removed and a new one created under its number.
var identity = map[Kind][]string{
	Process: {"started"},
	Mount:   {"in", "device"},
	Overlay: {"in"},
	Cgroup:  {"inode"},
	Link:    {"index"},
}

// Compare tells what happened between two Snapshots of the same Scope. A nil
// Snapshot is an empty one.
func Compare(before, after *Snapshot) Diff {
	type key struct {
		kind Kind
		id   string
	}
	var d Diff
	old := map[key]Object{}
	if before != nil {
		for _, o := range before.Objects {
			old[key{o.Kind, o.ID}] = o
		}
	}
	lives := map[key]bool{}
	if after != nil {
		for _, o := range after.Objects {
			k := key{o.Kind, o.ID}
			was, existed := old[k]
			if !existed || !sameObject(was, o) {
				d.Created = append(d.Created, o)
				continue
			}
			lives[k] = true
			if o.Was = earlier(was.Detail, o.Detail); len(o.Was) > 0 {
				d.Changed = append(d.Changed, o)
			}
		}
	}
	if before != nil {
		for _, o := range before.Objects {
			if !lives[key{o.Kind, o.ID}] {
				d.Removed = append(d.Removed, o)
			}
		}
	}
	return d
}

// sameObject tells whether two objects under one ID are the same one.
func sameObject(a, b Object) bool {
	for _, name := range identity[a.Kind] {
		if a.Detail.Get(name) != b.Detail.Get(name) {
			return false
		}
	}
	return true
}

// earlier returns the earlier values of the facts that changed, "" for one
// that was not there. A fact that is Volatile in both does not count: a process
// going from running to sleeping is no change, one that has ended is.
func earlier(before, after Detail) Detail {
	var was Detail
	for _, f := range after {
		old, existed := find(before, f.Key)
		if (!existed || old.Value != f.Value) && !(f.Volatile && (!existed || old.Volatile)) {
			was = append(was, Field{Key: f.Key, Value: old.Value})
		}
	}
	for _, f := range before {
		if _, stays := find(after, f.Key); !stays && !f.Volatile {
			was = append(was, Field{Key: f.Key, Value: f.Value})
		}
	}
	return was
}

func find(d Detail, key string) (Field, bool) {
	for _, f := range d {
		if f.Key == key {
			return f, true
		}
	}
	return Field{}, false
}

// Empty reports whether nothing changed.
func (d Diff) Empty() bool {
	return len(d.Created)+len(d.Changed)+len(d.Removed) == 0
}

// Kinds lists the kinds of object that changed in any way, in the order of the
// package's Kinds.
func (d Diff) Kinds() []Kind {
	var kinds []Kind
	for _, list := range [][]Object{d.Created, d.Changed, d.Removed} {
		for _, o := range list {
			if !slices.Contains(kinds, o.Kind) {
				kinds = append(kinds, o.Kind)
			}
		}
	}
	slices.SortFunc(kinds, func(a, b Kind) int {
		return slices.Index(Kinds, a) - slices.Index(Kinds, b)
	})
	return kinds
}
