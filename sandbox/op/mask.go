package op

import (
	"os"

	"cutaway/sandbox/sys"
)

// Mask hides paths of /proc and /sys that speak of the whole machine: a file
// under /dev/null, a directory under an empty read-only tmpfs. Paths this
// kernel does not have are passed over. OCI runtime-spec, maskedPaths.
type Mask struct {
	Paths []string `json:"paths"`
}

// Name implements Op.
func (Mask) Name() string { return "mask" }

// Do implements Op.
func (o Mask) Do(k *sys.Kernel, _ *Target) error {
	for _, p := range o.Paths {
		var err error
		switch st, statErr := os.Lstat(p); {
		case statErr != nil:
		case st.IsDir():
			err = k.Mount("tmpfs", p, "tmpfs", sys.Rdonly, "size=0k")
		default:
			err = k.Mount("/dev/null", p, "", sys.Bind, "")
		}
		if err != nil {
			return at(err, "mask %s", p)
		}
	}
	return nil
}

// Shell implements Op.
func (o Mask) Shell() string {
	return "for p in " + quoteAll(o.Paths) + "; do [ ! -e $p ] || { [ -d $p ] && mount -t tmpfs -o ro,size=0k tmpfs $p || mount --bind /dev/null $p; }; done"
}

// Readonly binds paths onto themselves and makes the bind read-only, which
// leaves the filesystem below as it is. OCI runtime-spec, readonlyPaths.
type Readonly struct {
	Paths []string `json:"paths"`
}

// Name implements Op.
func (Readonly) Name() string { return "readonly" }

// Do implements Op. A bind cannot be made and made read-only by one mount(2):
// the flags of the first call are ignored, mount(2) NOTES.
func (o Readonly) Do(k *sys.Kernel, _ *Target) error {
	for _, p := range o.Paths {
		if _, err := os.Lstat(p); err != nil {
			continue
		}
		if err := k.Mount(p, p, "", sys.Bind|sys.Rec, ""); err != nil {
			return at(err, "bind %s onto itself", p)
		}
		const flags = sys.Remount | sys.Bind | sys.Rdonly | sys.Nosuid | sys.Nodev | sys.Noexec
		if err := k.Mount("", p, "", flags, ""); err != nil {
			return at(err, "make %s read-only", p)
		}
	}
	return nil
}

// Shell implements Op.
func (o Readonly) Shell() string {
	return "for p in " + quoteAll(o.Paths) + "; do [ ! -e $p ] || { mount --bind $p $p; mount -o remount,bind,ro $p; }; done"
}
