package stages

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"cutaway/sandbox/image"
	"cutaway/sandbox/plan"
)

// shared makes a second container on the same lower layer.
func (o layers) shared(ctx context.Context) {
	o.Note("a second container of the same image")
	spec := o.Again()
	spec.Net = plan.Net{Mode: "none"}
	second, err := o.Start(ctx, spec)
	if !o.started(err) {
		return
	}
	defer o.ended(second)
	other := newLayers(second)
	original, _ := readFile(o.lower + "/etc/motd")() // if it cannot be read, the probe fails
	second.Inside("cat /etc/motd", "it knows nothing of the first one's changes",
		func(out Out) bool { return original != "" && out.Text+"\n" == original })
	first, again := o.Container.PID(), second.Container.PID()
	o.Outside(fmt.Sprintf("grep -o lowerdir=[^,]* /proc/{%d,%d}/mountinfo", first, again), "one lower layer, mounted twice",
		twice(lowerOf, first, again), allSame)
	const file = "/etc/passwd"
	o.Outside(fmt.Sprintf("stat -c %%i LOWER%s /proc/{%d,%d}/root%s", file, first, again, file), "one inode, on the disk and in memory, however many read it",
		func() (string, error) {
			inode, err := inodeOf(o.lower + file)
			rest, errRest := twice(func(pid int) (string, error) { return inodeOf(fmt.Sprintf("/proc/%d/root%s", pid, file)) }, first, again)()
			return inode + "\n" + rest, errors.Join(err, errRest)
		}, allSame)
	o.Outside("du -sck LOWER UPPER UPPER-2", "in KiB: two containers, and the image counts once", func() (string, error) { return sizes(o.lower, o.upper, other.upper) },
		func(text string) bool {
			var n [4]int
			_, err := fmt.Sscanf(text, "%d LOWER\n%d UPPER\n%d UPPER-2\n%d total", &n[0], &n[1], &n[2], &n[3])
			return err == nil && n[3] == n[0]+n[1]+n[2] && n[0] > 1024 && n[3] < n[0]*3/2
		})
}

// twice reads the same of two processes, a line each.
func twice(read func(pid int) (string, error), a, b int) func() (string, error) {
	return func() (string, error) {
		first, err := read(a)
		second, errSecond := read(b)
		return first + "\n" + second, errors.Join(err, errSecond)
	}
}

// allSame checks that the lines of a text are equal, and not empty.
func allSame(text string) bool {
	lines := slices.Compact(strings.Split(text, "\n"))
	return len(lines) == 1 && lines[0] != ""
}

// commit shows the layer that would be made of the container's changes.
func (o layers) commit() {
	o.Note("LAYER is the archive that a commit makes of UPPER: what is a mark for overlayfs is a name in there (OCI image-spec, layer.md)")
	var names string
	o.Outside("tar -tf LAYER | grep -v '/$'", "the files that are new, and .wh. names for those that are gone",
		func() (_ string, err error) { names, err = o.layer(); return names, err },
		func(string) bool {
			all := strings.Split(names, "\n")
			want := []string{"etc/.wh.os-release", "etc/motd", "srv/notes/.wh..wh..opq", "usr/bin/probe"}
			return !slices.ContainsFunc(want, func(name string) bool { return !slices.Contains(all, name) })
		})
}

// layer lists the files in the archive of the changes.
func (o layers) layer() (string, error) {
	read, write := io.Pipe()
	defer read.Close()
	go func() { write.CloseWithError(image.WriteChanges(write, o.upper, o.Materials.Owner)) }()
	var names []string
	for r := tar.NewReader(read); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", err
		}
		if h.Typeflag != tar.TypeDir {
			names = append(names, h.Name)
		}
	}
	_, err := io.Copy(io.Discard, read) // what follows the last entry
	return strings.Join(names, "\n"), err
}

// secret looks for a file that a layer of the image has and a later one deletes.
func (o layers) secret(ctx context.Context) {
	img, err := o.runner.Store.Get(image.BuiltInRef)
	if err != nil || len(img.Layers) == 0 {
		o.report("outside", "cutaway images", Out{Text: fmt.Sprint(err), Status: 1}, "the image is in the store", false)
		return
	}
	const file = "etc/secret"
	o.Note("whoever built this image put a password into its first layer, and deleted it in the second. The next read fails with ENOENT, on purpose; BLOB is the first layer as it was pulled")
	o.Inside("cat /"+file, "gone", func(out Out) bool { return out.Status != 0 && out.Has("No such file") })
	o.Outside("tar -xzOf BLOB "+file+" | head -n 1", "and here for everybody who has the image: a later layer deletes nothing from an earlier one",
		func() (string, error) {
			content, err := o.runner.Store.File(ctx, img.Layers[0], file)
			first, _, _ := strings.Cut(string(content), "\n")
			return first, err
		}, func(text string) bool { return strings.HasPrefix(text, "password=") })
}
