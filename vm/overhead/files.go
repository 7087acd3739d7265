package overhead

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// files measures reading and writing where programs do: straight on the host's
// disk, through an overlay, in memory, and on a machine's disk, which is a file on
// the host's.
var files = experiment{
	group: "io",
	measures: []Measure{
		{Key: "io.fsync", Title: "write 4 KiB and fsync", Unit: "us", Base: hostDisk,
			Means: "Until a block is on the disk, as far as the disk can be believed (fsync(2)), as a mean of ten: what a database waits for at each commit.",
			Not:   "This lab's containers are thrown away, so their overlay is mounted volatile and has nothing flushed: that is no speed of overlays, for which see overlay. What lies below the host's disk is not in our hands, and is often a network; a tmpfs has nothing to wait for. The guest's disk is a file of the host's, which QEMU flushes when the guest asks."},
		{Key: "io.read", Title: "read 8 MiB", Unit: "MiB/s", More: true, Base: hostDisk,
			Means: "From start to end, after the kernel was told to forget the file.",
			Not:   "The guest forgets, and the host does not: what the guest reads comes from the host's memory. That is how such machines are run, and makes the number none of the disk. A tmpfs cannot forget, and of a volatile overlay the kernel forgets nothing that was never flushed."},
	},
	subjects: func(ctx context.Context, b *bench, all []Contender) (subjects []subject, missing []Absent) {
		units := map[string]func(float64) float64{"io.fsync": toMicros, "io.read": toMiB}
		add := func(name string, c Contender, dir string) {
			found, lacking := inside(func(one Contender) bool { return one.Name == c.Name }, units, probe, "disk", dir)(ctx, b, all)
			for _, s := range found {
				s.name = name
				subjects = append(subjects, s)
			}
			missing = append(missing, lacking...)
		}
		for _, c := range all {
			switch {
			case c.Name == baseline:
				add(hostDisk, c, b.place.Dir)
				add("host's tmpfs", c, "/dev/shm")
				o, err := b.overlay()
				if err != nil {
					missing = append(missing, Absent{"overlay", oneLine(err)})
					continue
				}
				all = append(all, o)
				add(o.Name, o, overlayDir)
			case c.Kind == Container && c.Name != "cutaway+net":
				add(c.Name, c, "/tmp")
			case c.Kind == Machine:
				add(c.Name, c, guestMount)
			}
		}
		return subjects, missing
	},
}

// hostDisk is where the lab keeps its files: what the other places are compared
// with.
const hostDisk = "host's disk"

// overlayDir is where the overlay is, for whoever is in its mount namespace.
const overlayDir = "/mnt"

// overlay is a process that sees an overlay, as docker would mount it, whose
// layers lie on the host's disk. The mount is in a namespace of the process, and
// is gone with it.
func (b *bench) overlay() (Contender, error) {
	if !b.root() {
		return Contender{}, errors.New("mounting an overlay outside a container needs root")
	}
	unshare, err := installed("unshare")
	if err != nil {
		return Contender{}, fmt.Errorf("unshare (util-linux): %w", err)
	}
	for _, dir := range []string{"upper", "work"} {
		if err := os.MkdirAll(filepath.Join(b.place.Dir, dir), 0o755); err != nil {
			return Contender{}, err
		}
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s/upper,workdir=%s/work", b.tree, b.place.Dir, b.place.Dir)
	c := b.command(Wall, "", true, func(args []string) *exec.Cmd {
		line := []string{"--mount", "--propagation", "private", "sh", "-c",
			`mount -t overlay overlay -o "$0" ` + overlayDir + ` && exec "$@"`, options, filepath.Join(b.tree, args[0])}
		return exec.Command(unshare, append(line, args[1:]...)...)
	})
	c.Name = "overlay"
	return c, nil
}
