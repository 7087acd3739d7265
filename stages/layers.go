package stages

import (
	"fmt"
	"path/filepath"
	"strings"
)

// layers are the two directories of the host that the container's root is made
// of. What is looked at there is shown by its path below them: overlayfs.rst in
// the kernel's documentation.
type layers struct {
	*Look
	lower, upper string
}

func newLayers(l *Look) layers {
	return layers{l, l.Container.Spec.Root.Lower[0], filepath.Join(l.Container.Spec.State, "upper")}
}

// inUserNS shows what an overlay must do without where root is not the host's,
// since Linux 5.11.
func (o layers) inUserNS() {
	if !o.Container.Spec.Has("user") {
		return
	}
	table := fmt.Sprintf("/proc/%d/mountinfo", o.Container.PID())
	o.Outside("grep -o userxattr "+table, "a user namespace's root mounted it: overlayfs keeps its marks in user.* attributes, for trusted.* are not for this root",
		func() (string, error) {
			text, err := readFile(table)()
			if !strings.Contains(text, ",userxattr") {
				return "", err
			}
			return "userxattr", err
		}, is("userxattr"))
}

// write changes a file and looks where the change is.
func (o layers) write() {
	motd := ""
	o.Outside("cat LOWER/etc/motd", "a file of the lower layer", readFile(o.lower+"/etc/motd"),
		func(text string) bool { motd = text; return text != "" })
	o.Outside("ls UPPER/etc/motd", "the upper layer has no such file yet", kindOf(o.upper+"/etc/motd"), is("no such file"))
	o.Inside("echo changed > /etc/motd; cat /etc/motd", "a write, like any other", says("changed"))
	o.Outside("cat UPPER/etc/motd", "the file was copied up, and the copy changed", readFile(o.upper+"/etc/motd"), is("changed"))
	o.Outside("cat LOWER/etc/motd", "the lower one is as it was", readFile(o.lower+"/etc/motd"),
		func(text string) bool { return motd != "" && text == motd })
	o.Outside("ls -A ROOTFS", "the two as one are seen only inside: this mount is the container's", list(o.Container.Spec.Root.Path), is("(empty)"))
}

// remove deletes a file and looks at the mark.
func (o layers) remove() {
	const file = "/etc/os-release"
	o.Inside("rm "+file+"; [ -e "+file+" ] || echo gone", "a delete, like any other", says("gone"))
	o.Outside("stat -c '%F %t:%T' UPPER"+file, "a whiteout: a device that no driver has", kindOf(o.upper+file), is("character special file 0:0"))
	o.Outside("stat -c '%F' LOWER"+file, "what it hides is still there", kindOf(o.lower+file), is("regular file"))
}

// opaque replaces a directory: one mark hides all that was in it.
func (o layers) opaque() {
	const dir = "/srv/notes"
	o.Outside("ls -A LOWER"+dir, "a directory with something in it", list(o.lower+dir), func(text string) bool { return text != "" && text != "(empty)" })
	o.Inside("rm -r "+dir+"; mkdir "+dir+"; ls -A "+dir, "removed and made again, it is empty", func(out Out) bool { return out.Status == 0 && out.Text == "" })
	o.Outside("getfattr -d -m opaque UPPER"+dir, "opaque: nothing below shines through", overlayMark(o.upper+dir, "opaque"),
		func(text string) bool { return strings.HasSuffix(text, `.overlay.opaque="y"`) })
}

// small writes one byte to a large file.
func (o layers) small() {
	const file = "/usr/bin/probe"
	before := 0
	o.Outside("du -sk UPPER", "KiB that the container has of its own so far", size(o.upper), func(text string) bool { return number(text, &before) })
	o.Predict("one byte is added to %s, a large file of the image. How much does the container grow?", file)
	o.Inside("echo >> "+file, "one byte is written", func(out Out) bool { return out.Status == 0 })
	o.Outside("du -sk UPPER", "by all of the file: to change it means to copy it up first", size(o.upper), grownBy(before, 1024))
}

// metadata changes no byte of another large file.
func (o layers) metadata() {
	const file = "/bin/busybox"
	before := 0
	unchanged, _ := size(o.upper)() // unread, the next reading is not as expected
	number(unchanged, &before)
	o.Inside("chmod o-r "+file+"; stat -c '%A %s' "+file, "its mode alone is changed", func(out Out) bool { return strings.HasPrefix(out.Text, "-rwxr-x--x ") })
	o.Outside("du -sk UPPER", "and all of it was copied up as well", size(o.upper), grownBy(before, 1024))
}

// grownBy checks a size in KiB against one from before.
func grownBy(before, least int) func(string) bool {
	return func(text string) bool {
		now := 0
		return number(text, &now) && now >= before+least
	}
}

// rename moves a directory that is in the lower layer.
func (o layers) rename() {
	const from, to = "/www", "/pages"
	o.Note("the next call fails with EXDEV, on purpose: a directory of the lower layer would have to be copied up with all that is in it")
	o.Inside("probe call rename "+from+" "+to, "as if they were two disks", func(out Out) bool { return out.Status == 1 && out.Has("EXDEV") })
	o.Inside("mv "+from+" "+to+" && ls "+to, "mv is prepared for that: it copies, and deletes", says("index.html"))
	o.Outside("stat -c '%F %t:%T' UPPER"+from, "which leaves a whiteout", kindOf(o.upper+from), is("character special file 0:0"))
}
