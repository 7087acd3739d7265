package op

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"cutaway/sandbox/sys"
)

// CgroupCreate makes control groups: mkdir(2) in a cgroup filesystem,
// cgroups(7). The kernel fills each directory with the group's files. On v2 one
// is enough; on v1 a container needs one in each hierarchy.
type CgroupCreate struct {
	Dirs []string `json:"dirs"`
	// Shared groups hold those of several containers; the last one out removes
	// them.
	Shared bool `json:"shared,omitempty"`
}

// Name implements Op.
func (CgroupCreate) Name() string { return "cgroup_create" }

// Do implements Op.
func (o CgroupCreate) Do(k *sys.Kernel, _ *Target) error {
	for _, dir := range o.Dirs {
		if err := k.Mkdir(dir, 0o755); err != nil {
			return at(err, "create control group %s", dir)
		}
	}
	return nil
}

// Undo removes the groups.
func (o CgroupCreate) Undo(k *sys.Kernel) error {
	var failed []error
	for _, dir := range o.Dirs {
		if err := o.remove(k, dir); err != nil {
			failed = append(failed, at(err, "remove control group %s", dir))
		}
	}
	return errors.Join(failed...)
}

// remove removes one group. A process that was killed leaves its group a moment
// later, so EBUSY is worth a short wait.
func (o CgroupCreate) remove(k *sys.Kernel, dir string) error {
	for wait := time.Millisecond / 4; ; wait *= 2 {
		err := k.Rmdir(dir)
		switch {
		case err == nil, errors.Is(err, os.ErrNotExist):
			return nil
		case o.Shared: // not empty, so not ours alone
			return nil
		case wait > time.Second:
			return err
		}
		o.thaw(k)
		time.Sleep(wait)
	}
}

// thaw lets go what v1's freezer holds: it does not even die. The other groups
// have no such file.
func (o CgroupCreate) thaw(k *sys.Kernel) {
	for _, dir := range o.Dirs {
		_ = k.Write(filepath.Join(dir, "freezer.state"), "THAWED")
	}
}

// IsShared implements Shared.
func (o CgroupCreate) IsShared() bool { return o.Shared }

// Shell implements Op.
func (o CgroupCreate) Shell() string { return "mkdir -p " + quoteAll(o.Dirs) }

// CgroupEnable lets the children of a v2 group use controllers:
// cgroup.subtree_control, cgroups(7).
type CgroupEnable struct {
	Dir         string   `json:"dir"`
	Controllers []string `json:"controllers"`
	// Unless is set where the group is not the lab's own: the controllers are
	// taken back in the end, unless that directory still exists.
	Unless string `json:"unless,omitempty"`
	// Own is set for what no other container needs.
	Own bool `json:"own,omitempty"`
}

// Name implements Op.
func (CgroupEnable) Name() string { return "cgroup_enable" }

// Do implements Op.
func (o CgroupEnable) Do(k *sys.Kernel, _ *Target) error {
	return at(k.Write(o.file(), o.text("+")), "enable %s in %s", strings.Join(o.Controllers, ", "), o.file())
}

// Undo implements Undoer.
func (o CgroupEnable) Undo(k *sys.Kernel) error {
	if o.Unless == "" {
		return nil
	}
	if _, err := os.Stat(o.Unless); err == nil {
		return nil
	}
	return at(k.Write(o.file(), o.text("-")), "disable %s in %s", strings.Join(o.Controllers, ", "), o.file())
}

// IsShared implements Shared.
func (o CgroupEnable) IsShared() bool { return !o.Own }

// Shell implements Op.
func (o CgroupEnable) Shell() string { return "echo " + quote(o.text("+")) + " > " + quote(o.file()) }

func (o CgroupEnable) file() string { return filepath.Join(o.Dir, "cgroup.subtree_control") }

func (o CgroupEnable) text(sign string) string {
	return sign + strings.Join(o.Controllers, " "+sign)
}

// CgroupJoin moves init into v1 control groups by writing 0, itself, to their
// tasks files. Of the ways in this is the fast one: a single thread that moves
// itself need not wait for the thread-group lock, as cgroup.procs does. Init's
// other threads end at execve.
type CgroupJoin struct {
	Dirs []string `json:"dirs"`
}

// Name implements Op.
func (CgroupJoin) Name() string { return "cgroup_join" }

// Do implements Op.
func (o CgroupJoin) Do(k *sys.Kernel, _ *Target) error {
	for _, dir := range o.Dirs {
		if err := k.Write(filepath.Join(dir, "tasks"), "0"); err != nil {
			return at(err, "join control group %s", dir)
		}
	}
	return nil
}

// Shell implements Op.
func (o CgroupJoin) Shell() string {
	return "for g in " + quoteAll(o.Dirs) + "; do echo $$ > $g/cgroup.procs; done"
}

// CgroupSet writes a limit into a file of a control group: cgroup-v2.rst and
// cgroup-v1 in the kernel's documentation.
type CgroupSet struct {
	File  string `json:"file"`
	Value string `json:"value"`
	// Optional passes over a file this kernel does not have.
	Optional bool `json:"optional,omitempty"`
}

// Name implements Op.
func (CgroupSet) Name() string { return "cgroup_set" }

// Do implements Op.
func (o CgroupSet) Do(k *sys.Kernel, _ *Target) error {
	if o.Optional && !k.Dry {
		if _, err := os.Stat(o.File); err != nil {
			return nil
		}
	}
	return at(k.Write(o.File, o.Value), "write %q to %s", o.Value, o.File)
}

// Shell implements Op.
func (o CgroupSet) Shell() string { return "echo " + quote(o.Value) + " > " + quote(o.File) }
