package stages

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"cutaway/sandbox/features"
	"cutaway/sandbox/plan"
)

// overlay makes the root a writable layer on top of one that is shared.
var overlay = Stage{
	Slug:   "13-overlay",
	Title:  "a root made of layers",
	Belief: "every container has a copy of its image, and a small write costs a small write",
	Lesson: "All containers read the same lower layer. A write first copies the whole file up, a delete leaves a mark; a container's own disk is what it changed.",
	Code:   "sandbox/op/overlay.go",
	Needs:  func(f features.Features) error { return f.HaveOverlayInUserNS() },
	Add:    func(s *plan.Spec, m Materials) { s.Root.From, s.Root.Lower = "", []string{m.Lower} },
	Look:   lookOverlay,
}

func lookOverlay(ctx context.Context, l *Look) {
	o := layers{l, l.Container.Spec.Root.Lower[0], filepath.Join(l.Container.Spec.State, "upper")}
	o.Note("two directories of the host are what this root is made of: UPPER is %s, LOWER is %s", o.upper, o.lower)
	o.write()
	o.remove()
	o.opaque()
	o.small()
	o.shared(ctx)
}

// layers are the two directories of the host that the container's root is made
// of. What is looked at there is shown by its path below them.
type layers struct {
	*Look
	lower, upper string
}

// write changes a file and looks where the change is.
func (o layers) write() {
	motd := ""
	o.Outside("cat LOWER/etc/motd", "a file of the lower layer", readFile(o.lower+"/etc/motd"),
		func(text string) bool { motd = text; return text != "" })
	o.Outside("ls UPPER/etc/motd", "the upper layer has no such file yet", kindOf(o.upper+"/etc/motd"), is("no such file"))
	o.Inside("echo changed > /etc/motd; cat /etc/motd", "a write, like any other", func(out Out) bool { return out.Text == "changed" })
	o.Outside("cat UPPER/etc/motd", "the file was copied up, and the copy changed", readFile(o.upper+"/etc/motd"), is("changed"))
	o.Outside("cat LOWER/etc/motd", "the lower one is as it was", readFile(o.lower+"/etc/motd"),
		func(text string) bool { return motd != "" && text == motd })
	o.Outside("ls -A ROOTFS", "the two as one are seen only inside: this mount is the container's", list(o.Container.Spec.Root.Path), is("(empty)"))
}

// remove deletes a file and looks at the mark.
func (o layers) remove() {
	const file = "/etc/os-release"
	o.Inside("rm "+file+"; [ -e "+file+" ] || echo gone", "a delete, like any other", func(out Out) bool { return out.Text == "gone" })
	o.Outside("stat -c '%F %t:%T' UPPER"+file, "a whiteout: a device that no driver has", kindOf(o.upper+file), is("character special file 0:0"))
	o.Outside("stat -c '%F' LOWER"+file, "what it hides is still there", kindOf(o.lower+file), is("regular file"))
}

// opaque replaces a directory: one mark hides all that was in it.
func (o layers) opaque() {
	const dir = "/srv/notes"
	o.Outside("ls -A LOWER"+dir, "a directory with something in it", list(o.lower+dir), func(text string) bool { return text != "" && text != "(empty)" })
	o.Inside("rm -r "+dir+"; mkdir "+dir+"; ls -A "+dir, "removed and made again, it is empty", func(out Out) bool { return out.Status == 0 && out.Text == "" })
	o.Outside("getfattr -d -m overlay UPPER"+dir, "opaque: nothing below shines through", opaqueMark(o.upper+dir),
		func(text string) bool { return strings.HasSuffix(text, `.overlay.opaque="y"`) })
}

// small writes one byte to a large file.
func (o layers) small() {
	const file = "/usr/bin/probe"
	before, grown := int64(0), int64(0)
	o.Outside("du -sb UPPER", "what the container has of its own so far", size(o.upper), octets(&before))
	o.Inside("echo >> "+file, "one byte is written", func(out Out) bool { return out.Status == 0 })
	o.Outside("du -sb UPPER", "the whole file was copied up for it", size(o.upper),
		func(text string) bool { return octets(&grown)(text) && grown-before > 1<<20 })
}

// shared makes a second container on the same lower layer.
func (o layers) shared(ctx context.Context) {
	o.Note("a second container of the same image")
	second, err := o.Start(ctx, o.Again())
	if !o.started(err) {
		return
	}
	defer o.ended(second)
	other := layers{second, second.Container.Spec.Root.Lower[0], filepath.Join(second.Container.Spec.State, "upper")}
	original, _ := readFile(o.lower + "/etc/motd")() // if it cannot be read, the probe fails
	second.Inside("cat /etc/motd", "it knows nothing of the first one's changes",
		func(out Out) bool { return original != "" && out.Text+"\n" == original })
	lower := fmt.Sprintf("grep -o lowerdir=[^,]* /proc/{%d,%d}/mountinfo", o.Container.PID(), second.Container.PID())
	o.Outside(lower, "one lower layer, mounted twice", func() (string, error) {
		first, err := lowerOf(o.Container.PID())
		if err != nil {
			return "", err
		}
		again, err := lowerOf(second.Container.PID())
		return first + "\n" + again, err
	}, func(text string) bool {
		first, again, _ := strings.Cut(text, "\n")
		return first != "" && first == again
	})
	var image, own int64
	o.Outside("du -sb LOWER", "the image, in bytes", size(o.lower), octets(&image))
	o.Outside("du -sb UPPER-2", "what the second container added to it", size(other.upper),
		func(text string) bool { return octets(&own)(text) && image > 1<<20 && own < image/100 })
}
