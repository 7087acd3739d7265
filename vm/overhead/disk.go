package overhead

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// disk measures what is on the disk for one instance, and what a second one adds,
// in blocks that are allocated, each file counted once.
var disk = experiment{
	group: "disk", boots: true, rarely: true,
	measures: []Measure{
		{Key: "disk.first", Title: "disk taken by the first instance", Unit: "MiB",
			Means: "All that must lie on the disk before one instance can run: the image and its unpacked layers, a copy of the root filesystem, or a machine's kernel, initramfs and disks.",
			Not:   "The image here is a small one, busybox and a probe. The program that starts it is not counted, nor what several tools share already. Nearly the same each time, so measured few times."},
		{Key: "disk.further", Title: "disk taken by each further instance", Unit: "MiB",
			Means: "What a second instance of the same image adds while it is idle: with copy-on-write shares nearly nothing, without them another copy.",
			Not:   "It grows with what the instance writes. Tools without layers of their own can be given such shares by somebody else, as containerd does for runc."},
	},
	subjects: func(_ context.Context, b *bench, all []Contender) (subjects []subject, missing []Absent) {
		for _, c := range all {
			var trial func(context.Context) (first, second float64, err error)
			switch {
			case c.Name == baseline:
				trial = func(context.Context) (float64, float64, error) {
					size, err := onDisk(filepath.Join(b.tree, hello[0]))
					return size, size, err // a second process executes the same file
				}
			case c.Kind == Machine:
				trial = func(ctx context.Context) (float64, float64, error) { return twoIdle(ctx, c, openFiles) }
			case c.Name == "cutaway":
				trial = b.twoOfOurs
			case slices.Contains([]string{"chroot", "bubblewrap", "crun", "runc"}, c.Name):
				trial = b.twoTrees
			case c.Name == "podman", c.Name == "docker":
				missing = append(missing, Absent{c.Name, "its images are in a store that others use, too"})
				continue
			default:
				continue
			}
			subjects = append(subjects, subject{name: c.Name, kind: c.Kind, slow: c.slow, trial: func(ctx context.Context) (map[string]float64, error) {
				first, second, err := trial(ctx)
				return map[string]float64{"disk.first": first / mebibyte, "disk.further": (second - first) / mebibyte}, err
			}})
		}
		return subjects, missing
	},
}

// onDisk adds up the blocks of files and of what is below directories; what two
// names lead to counts once, and mounts are left alone.
func onDisk(paths ...string) (bytes float64, err error) {
	seen := map[[2]uint64]bool{}
	for _, path := range paths {
		var top *syscall.Stat_t
		err = errors.Join(err, filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) { // it has just gone
				return nil
			}
			if err != nil {
				return err
			}
			info, err := d.Info()
			if name == path { // a descriptor in /proc is a link to its file
				info, err = os.Stat(path)
			}
			if err != nil {
				return nil // likewise
			}
			st, ok := info.Sys().(*syscall.Stat_t)
			if !ok {
				return fmt.Errorf("stat %s: not of this system", path)
			}
			if top == nil {
				top = st
			}
			if st.Dev != top.Dev && d.IsDir() {
				return fs.SkipDir
			}
			if id := [2]uint64{uint64(st.Dev), st.Ino}; !seen[id] {
				seen[id] = true
				bytes += float64(st.Blocks) * 512 // stat(2): whatever the block size is
			}
			return nil
		}))
	}
	return bytes, err
}

// twoIdle starts two idle instances and measures after each what is on the disk
// for those that there are; where says in which files and directories.
func twoIdle(ctx context.Context, c Contender, where func([]*instance) ([]string, error)) (first, second float64, err error) {
	var idling []*instance
	defer func() {
		for _, i := range idling {
			err = errors.Join(err, i.end())
		}
	}()
	for _, size := range []*float64{&first, &second} {
		i, err := c.start(ctx, idle...)
		if err != nil {
			return 0, 0, err
		}
		idling = append(idling, i)
		if _, err := i.first(); err != nil {
			return 0, 0, err
		}
		paths, err := where(idling)
		if err == nil {
			*size, err = onDisk(paths...)
		}
		if err != nil {
			return 0, 0, err
		}
	}
	return first, second, nil
}

// twoOfOurs starts this lab's containers with a state directory of their own.
func (b *bench) twoOfOurs(ctx context.Context) (first, second float64, err error) {
	state, err := b.freshState()
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(state)) }()
	c := b.command(Container, "", true, b.cutawayLine(state, "none"))
	return twoIdle(ctx, c, func([]*instance) ([]string, error) { return []string{state}, nil })
}

// freshState makes a state directory in which there is nothing yet.
func (b *bench) freshState() (string, error) {
	state, err := os.MkdirTemp(b.place.Dir, "state-")
	if err == nil {
		err = os.Chmod(state, 0o711) // a container's root, who is nobody here, goes through
	}
	return state, err
}

// twoTrees are a root filesystem for each instance, as tools want it that know
// nothing of layers.
func (b *bench) twoTrees(ctx context.Context) (first, second float64, err error) {
	dir, err := os.MkdirTemp(b.place.Dir, "trees-")
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for n, size := range []*float64{&first, &second} {
		if err := b.unpack(ctx, filepath.Join(dir, strconv.Itoa(n))); err != nil {
			return 0, 0, err
		}
		if *size, err = onDisk(dir); err != nil {
			return 0, 0, err
		}
	}
	return first, second, nil
}

// openFiles are the files that machines have open or were started from: QEMU's
// command line names the kernel, its descriptors are the initramfs and disks.
func openFiles(machines []*instance) (paths []string, err error) {
	for _, m := range machines {
		proc := "/proc/" + strconv.Itoa(m.pids()[0])
		line, err := os.ReadFile(proc + "/cmdline")
		if err != nil {
			return nil, fmt.Errorf("read QEMU's command line: %w", err)
		}
		words := strings.Split(string(line), "\x00")
		if n := slices.Index(words, "-kernel"); n >= 0 && n+1 < len(words) {
			paths = append(paths, words[n+1])
		}
		links, err := os.ReadDir(proc + "/fd")
		if err != nil {
			return nil, fmt.Errorf("read QEMU's descriptors: %w", err)
		}
		for _, l := range links {
			path := proc + "/fd/" + l.Name()
			if st, err := os.Stat(path); err == nil && st.Mode().IsRegular() {
				paths = append(paths, path)
			}
		}
	}
	return paths, nil
}
