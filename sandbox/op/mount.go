package op

import (
	"cmp"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"cutaway/sandbox/sys"
)

// Mount attaches a filesystem, or changes a mount that is there: mount(2).
type Mount struct {
	Source string  `json:"source,omitempty"`
	Target string  `json:"target"`
	Type   string  `json:"type,omitempty"`
	Flags  uintptr `json:"flags,omitempty"`
	Data   string  `json:"data,omitempty"`
	// Mkdir makes the mount point first if the image lacks it.
	Mkdir bool `json:"mkdir,omitempty"`
	// Optional passes over a target that does not exist: kernels differ in
	// what they have in /proc.
	Optional bool `json:"optional,omitempty"`
}

// Name implements Op.
func (Mount) Name() string { return "mount" }

// Do implements Op.
func (o Mount) Do(k *sys.Kernel, _ *Target) error {
	target, err := o.target(k)
	if err != nil {
		return err
	}
	if o.Mkdir {
		if err := mkdirs(k, target); err != nil {
			return err
		}
	}
	if o.Optional && !k.Dry {
		if _, err := os.Lstat(target); err != nil {
			return nil
		}
	}
	err = k.Mount(o.Source, target, o.Type, o.Flags, o.Data)
	what := cmp.Or(o.Type, o.Source)
	if what == "" {
		return at(err, "change the mount %s", target)
	}
	return at(err, "mount %s at %s", what, target)
}

// target is where the mount goes: what is made or changed in the new root may
// have links of the image in its path, a bind of the host's has not.
func (o Mount) target(k *sys.Kernel) (string, error) {
	if k.Dry || !o.Mkdir && o.Flags&sys.Remount == 0 {
		return o.Target, nil
	}
	return inside(o.Target)
}

// Shell implements Op.
func (o Mount) Shell() string {
	switch {
	case o.Flags&sys.Private != 0:
		return "mount --make-rprivate " + quote(o.Target)
	case o.Flags&sys.Remount != 0:
		return "mount -o remount," + mountOptions(o.Flags, o.Data) + " " + quote(o.Target)
	case o.Flags&sys.Bind != 0:
		return "mount --bind " + quote(o.Source) + " " + quote(o.Target)
	}
	words := "mount -t " + o.Type
	if options := mountOptions(o.Flags, o.Data); options != "" {
		words += " -o " + quote(options)
	}
	return words + " " + quote(o.Source) + " " + quote(o.Target)
}

// optionFlag is an option of mount(8) that is a flag of mount(2).
type optionFlag struct {
	bit  uintptr
	name string
}

var optionFlags = []optionFlag{{sys.Bind, "bind"}, {sys.Rdonly, "ro"}, {sys.Nosuid, "nosuid"}, {sys.Nodev, "nodev"}, {sys.Noexec, "noexec"}, {sys.Strictatime, "strictatime"}}

// TmpfsOptions takes options as mount(8) has them apart into flags and what the
// filesystem itself reads.
func TmpfsOptions(options string) (flags uintptr, data string) {
	var rest []string
	for word := range strings.SplitSeq(options, ",") {
		i := slices.IndexFunc(optionFlags, func(f optionFlag) bool { return f.name == word })
		switch {
		case i >= 0:
			flags |= optionFlags[i].bit
		case word != "rw" && word != "exec": // as without them
			rest = append(rest, word)
		}
	}
	return flags, strings.Join(rest, ",")
}

// mountOptions writes flags as mount(8) takes them.
func mountOptions(flags uintptr, data string) string {
	var options []string
	for _, f := range optionFlags {
		if flags&f.bit != 0 {
			options = append(options, f.name)
		}
	}
	if data != "" {
		options = append(options, data)
	}
	return strings.Join(options, ",")
}

// OpenTree takes hold of files and directories of the host while they can still
// be reached, for MoveMount to attach once the root has changed: open_tree(2).
// Until then the clones are attached nowhere, and no path leads to them.
type OpenTree struct {
	Sources []string `json:"sources"`
}

// Name implements Op.
func (OpenTree) Name() string { return "open_tree" }

// Do implements Op.
func (o OpenTree) Do(k *sys.Kernel, t *Target) error {
	for _, source := range o.Sources {
		fd, err := k.OpenTree(source)
		if err != nil {
			return at(err, "take hold of %s", source)
		}
		if !k.Dry {
			t.Open[source] = append(t.Open[source], fd)
		}
	}
	return nil
}

// Shell implements Op. mount(8) has no words for a mount that is nowhere yet.
func (o OpenTree) Shell() string { return "" }

// MoveMount attaches what OpenTree took: move_mount(2). Targets are resolved
// inside the new root, so no link in the image can lead one out of it.
type MoveMount struct {
	Moves []Move `json:"moves"`
}

// Move is one mount that OpenTree took, and where it goes.
type Move struct {
	Source string `json:"source"`
	Target string `json:"target"`
	File   bool   `json:"file,omitempty"` // the mount point is a file, not a directory
}

// Name implements Op.
func (MoveMount) Name() string { return "move_mount" }

// Do implements Op.
func (o MoveMount) Do(k *sys.Kernel, t *Target) error {
	for _, m := range o.Moves {
		target, err := m.mountPoint(k)
		if err != nil {
			return err
		}
		fd := -1
		if open := t.Open[m.Source]; len(open) > 0 { // the same may be wanted in several places
			fd, t.Open[m.Source] = open[0], open[1:]
		}
		if err := k.MoveMount(fd, target); err != nil {
			return at(err, "bind %s at %s", m.Source, target)
		}
	}
	return nil
}

// mountPoint finds what the mount will cover, and makes it if the image lacks it.
func (m Move) mountPoint(k *sys.Kernel) (string, error) {
	if k.Dry { // what an image lacks, and where its links lead, is known only there
		return m.Target, nil
	}
	if !m.File {
		target, err := inside(m.Target)
		if err != nil {
			return "", err
		}
		return target, mkdirs(k, target)
	}
	target, err := insideFile(m.Target)
	if err != nil {
		return "", err
	}
	if err := mkdirs(k, path.Dir(target)); err != nil {
		return "", err
	}
	if _, err := os.Lstat(target); !os.IsNotExist(err) {
		return target, nil
	}
	return target, at(k.Create(target), "create mount point %s", target)
}

// Shell implements Op.
func (o MoveMount) Shell() string {
	lines := make([]string, len(o.Moves))
	for i, m := range o.Moves {
		lines[i] = "mount --rbind " + quote(m.Source) + " " + quote(strings.TrimPrefix(m.Target, "/"))
	}
	return strings.Join(lines, "; ")
}

// ReadonlyMount makes a mount read-only that is there, and leaves its other
// options alone: those that a mount has from outside a user namespace cannot be
// taken off inside, mount_namespaces(7). With Whole also what is mounted below.
type ReadonlyMount struct {
	Target string `json:"target"`
	Whole  bool   `json:"whole,omitempty"` // by mount_setattr(2), since Linux 5.12
}

// Name implements Op.
func (ReadonlyMount) Name() string { return "readonly_mount" }

// Do implements Op.
func (o ReadonlyMount) Do(k *sys.Kernel, _ *Target) error {
	target, kept, err := o.Target, uintptr(0), error(nil)
	if !k.Dry { // what is there is known only there
		if target, err = inside(o.Target); err == nil && !o.Whole {
			kept, err = mountedWith(target)
		}
	}
	switch {
	case err != nil:
	case o.Whole:
		err = k.MountTreeReadonly(target)
	default:
		err = k.Mount("", target, "", sys.Remount|sys.Bind|sys.Rdonly|kept, "")
	}
	return at(err, "make %s read-only", o.Target)
}

// mountedWith gives the options of a mount that a remount would take off unless
// it names them; those about access times it leaves alone. They are the same
// numbers in statfs(2) and mount(2).
func mountedWith(target string) (uintptr, error) {
	var st syscall.Statfs_t
	err := syscall.Statfs(target, &st)
	return uintptr(st.Flags) & (sys.Nosuid | sys.Nodev | sys.Noexec), err
}

// Shell implements Op. mount(8) keeps the other options by itself.
func (o ReadonlyMount) Shell() string {
	if o.Whole {
		return "for m in $(findmnt -Rrno TARGET " + quote(o.Target) + "); do mount -o remount,bind,ro $m; done"
	}
	return "mount -o remount,bind,ro " + quote(o.Target)
}

// mkdirs makes the directories of p that are missing; p has no links that lead
// nowhere, or has been through inside. In dry mode it says
// nothing: what an image lacks is known only there.
func mkdirs(k *sys.Kernel, p string) error {
	if k.Dry || p == "/" || p == "." {
		return nil
	}
	if st, err := os.Stat(p); err == nil && st.IsDir() {
		return nil
	}
	if err := mkdirs(k, path.Dir(p)); err != nil {
		return err
	}
	return at(k.Mkdir(p, 0o755), "make directory %s", p)
}
