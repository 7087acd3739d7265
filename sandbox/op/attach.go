package op

import "cutaway/sandbox/sys"

// Attach shows a file or directory of the host at a second place in the mount
// namespace of init, when the container runs already: open_tree(2) takes hold of
// it here, move_mount(2) attaches it there. It ends with that namespace.
type Attach struct {
	Source string `json:"source"`
	Target string `json:"target"` // as the container names it; it must exist
	// Mapped has the mount translate owners by the maps of the container's user
	// namespace: an id-mapped mount, mount_setattr(2). Only root of the namespace
	// that the file system belongs to may, so it is done before it is attached.
	Mapped bool `json:"mapped,omitempty"`
}

// Name implements Op.
func (Attach) Name() string { return "attach" }

// Do implements Op.
func (o Attach) Do(k *sys.Kernel, t *Target) error {
	fd, err := k.OpenTree(o.Source)
	if err != nil {
		return at(err, "take hold of %s", o.Source)
	}
	if o.Mapped {
		if err := k.MapMount(fd, t.Proc("ns/user")); err != nil {
			sys.CloseFD(fd)
			return at(err, "map the owners of %s", o.Source)
		}
	}
	there := false
	err = k.Within(t.Proc("ns/mnt"), sys.NewNS, func() error {
		there = true
		return k.MoveMount(fd, o.Target) // which closes fd
	})
	if !there {
		sys.CloseFD(fd)
	}
	return at(err, "attach %s at %s", o.Source, o.Target)
}

// Shell implements Op. mount(8) cannot name a source in one mount namespace and a
// target in another.
func (Attach) Shell() string { return "" }
