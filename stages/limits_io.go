package stages

import (
	"errors"
	"fmt"
	"strings"

	"cutaway/sandbox"
)

// lookIO writes to the disk with a limit and, for comparison, without.
func lookIO(l *Look) {
	disks := l.Container.Spec.Linux.Resources.IOMax
	if len(disks) == 0 {
		err := l.Lab.Features.HaveController("io")
		if err == nil {
			_, err = sandbox.DiskUnder(l.Lab.Dirs.Data)
		}
		l.Note("not shown: a limit of what is written to a disk; %v", err)
		return
	}
	const command, counted = "probe write 4M /tmp/big", "io.stat wbytes"
	disk, slow, fast := disks[0], 0.0, 0.0
	took := func(seconds *float64) func(Out, effect) bool {
		return func(o Out, e effect) bool {
			_, err := fmt.Sscanf(o.Text, "wrote 4M in %f s", seconds)
			return err == nil && e.rise(counted) >= 4<<20
		}
	}
	l.Effect(command, fmt.Sprintf("%d MiB a second are allowed", disk.WriteBPS>>20), []string{counted}, func(o Out, e effect) bool {
		return took(&slow)(o, e) && slow > 0.6*4*(1<<20)/float64(disk.WriteBPS)
	})
	file, off, on := l.groupFile("io", "io.max", "blkio.throttle.write_bps_device"), disk.Device+" wbps=max", fmt.Sprintf("%s wbps=%d", disk.Device, disk.WriteBPS)
	if !l.v2() {
		off, on = disk.Device+" 0", fmt.Sprintf("%s %d", disk.Device, disk.WriteBPS)
	}
	l.Set(file, off, "the limit is taken away", "io.max")
	l.Steady([]string{command, command, command}, "as fast as the disk is", []string{counted}, func(o Out, e effect) bool { return took(&fast)(o, e) && fast < slow })
	l.back(file, on)
}

// lookNames shows the limits with the names of both versions.
func lookNames(l *Look) {
	r := l.Container.Spec.Linux.Resources
	two, one, here := r.Files("v2"), r.Files("v1"), r.Files(l.Lab.Features.Cgroup.Mode)
	table := fmt.Sprintf("%-16s%-32s%s", "in v2", "in v1", "here")
	var missing error
	for i, f := range here {
		name := one[i].File
		text, err := readFile(l.groupFile(f.Controller, f.File, f.File))()
		switch {
		case err != nil && f.Optional:
			text = "(not counted)"
		case err != nil:
			missing = errors.Join(missing, err)
		case contains(text, f.Value):
			text = f.Value // of a disk, without what is not limited
		default:
			missing = errors.Join(missing, fmt.Errorf("%s is %s, not %s", f.File, text, f.Value))
		}
		table += fmt.Sprintf("\n%-16s%-32s%s", two[i].File, name, strings.TrimSpace(text))
	}
	l.Note("GROUP is %s: a directory, whose files are its limits and counters", l.groupPlace())
	l.Outside("cd GROUP; cat FILE...", "what the steps have written; v2 made alike what v1 had grown",
		func() (string, error) { return table, missing }, func(string) bool { return len(two) == len(here) && len(one) == len(here) })
}

// contains reports whether a text has all words of another.
func contains(text, words string) bool {
	have := " " + strings.Join(strings.Fields(text), " ") + " "
	for _, w := range strings.Fields(words) {
		if !strings.Contains(have, " "+w+" ") {
			return false
		}
	}
	return true
}
