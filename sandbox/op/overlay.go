package op

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"cutaway/sandbox/sys"
)

// Overlay mounts layers on top of each other at Target, so that they look like
// one directory that can be written to: overlayfs.rst in the kernel's
// documentation. Reads fall through to the topmost layer that has the file;
// writes go to Upper.
type Overlay struct {
	Lower  []string `json:"lower"` // topmost first
	Upper  string   `json:"upper"`
	Work   string   `json:"work"` // must be on the same filesystem as Upper
	Target string   `json:"target"`
	// UserXattr keeps overlayfs's own marks in user.* attributes: inside a user
	// namespace trusted.* ones cannot be written. Since Linux 5.11.
	UserXattr bool `json:"userxattr,omitempty"`
}

// Name implements Op.
func (Overlay) Name() string { return "overlay" }

// maxData is what mount(2) takes of options: one page, less the final NUL.
const maxData = 4095

// Do implements Op. Of options longer than a page mount(2) takes the first page
// only, and an image of forty layers has them; so many are named relative to the
// directory they share, and more than sixty by the numbers of their descriptors.
func (o Overlay) Do(k *sys.Kernel, _ *Target) error {
	o.Lower = slices.Clone(o.Lower)
	if parent, ok := o.parent(); ok && len(o.data()) > maxData {
		if err := k.Chdir(parent); err != nil {
			return at(err, "enter %s", parent)
		}
		for i, dir := range o.Lower {
			o.Lower[i] = filepath.Base(dir)
		}
	}
	if len(o.data()) > maxData && !k.Dry {
		opened, err := open(o.Lower)
		defer closeAll(opened)
		if err == nil {
			err = k.Chdir("/proc/self/fd")
		}
		if err != nil {
			return at(err, "take hold of %d layers", len(o.Lower))
		}
		for i, fd := range opened {
			o.Lower[i] = strconv.Itoa(int(fd))
		}
	}
	return at(k.Mount("overlay", o.Target, "overlay", 0, o.data()), "mount overlay at %s", o.Target)
}

// open opens directories, as far as it can.
func open(dirs []string) (opened []sys.FD, err error) {
	for _, dir := range dirs {
		fd, err := sys.OpenDirectory(dir)
		if err != nil {
			return opened, err
		}
		opened = append(opened, fd)
	}
	return opened, nil
}

func closeAll(fds []sys.FD) {
	for _, fd := range fds {
		sys.CloseFD(int(fd))
	}
}

// Shell implements Op.
func (o Overlay) Shell() string {
	return "mount -t overlay -o " + quote(o.data()) + " overlay " + quote(o.Target)
}

// parent is the directory that all lower layers are in, if there is one.
func (o Overlay) parent() (string, bool) {
	parent := filepath.Dir(o.Lower[0])
	apart := slices.ContainsFunc(o.Lower, func(dir string) bool { return filepath.Dir(dir) != parent })
	return parent, !apart
}

func (o Overlay) data() string {
	escaped := make([]string, len(o.Lower))
	for i, dir := range o.Lower {
		escaped[i] = escape(dir)
	}
	// volatile, since Linux 5.10: unmounting does not wait for the disk, because
	// what a container wrote goes with it.
	data := "lowerdir=" + strings.Join(escaped, ":") + ",upperdir=" + escape(o.Upper) + ",workdir=" + escape(o.Work) + ",volatile"
	if o.UserXattr {
		data += ",userxattr"
	}
	return data
}

// escape has overlayfs take for part of a name what it reads as the end of one.
func escape(dir string) string {
	for _, special := range []string{`\`, ":", ","} {
		dir = strings.ReplaceAll(dir, special, `\`+special)
	}
	return dir
}
