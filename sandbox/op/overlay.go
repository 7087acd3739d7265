package op

import (
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

// Do implements Op.
func (o Overlay) Do(k *sys.Kernel, _ *Target) error {
	return at(k.Mount("overlay", o.Target, "overlay", 0, o.data()), "mount overlay at %s", o.Target)
}

// Shell implements Op.
func (o Overlay) Shell() string {
	return "mount -t overlay -o " + quote(o.data()) + " overlay " + quote(o.Target)
}

func (o Overlay) data() string {
	escaped := make([]string, len(o.Lower))
	for i, dir := range o.Lower {
		escaped[i] = strings.NewReplacer(`\`, `\\`, ":", `\:`, ",", `\,`).Replace(dir)
	}
	data := "lowerdir=" + strings.Join(escaped, ":") + ",upperdir=" + o.Upper + ",workdir=" + o.Work
	if o.UserXattr {
		data += ",userxattr"
	}
	return data
}
