package overhead

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
)

// amount is the memory to be filled, in MiB, and bound how many instances are
// started at most.
const (
	amount = 512
	bound  = 32
)

// density measures how many idle instances fit into so much memory, by starting
// one after the other until they do not fit any more.
var density = experiment{
	group: "density", boots: true, rarely: true,
	measures: []Measure{
		{Key: "density.count", Title: "idle instances in 512 MiB", Unit: "instances", More: true, Bound: bound,
			Means: "So many stood side by side before the sum of their proportional set sizes passed 512 MiB.",
			Not:   "At 32 counting stops: >=32 says that so many fitted, and no more was tried. How many thousand would fit is not known from that: other limits come first, of pids, of addresses, of time."},
		{Key: "density.pss", Title: "memory of each, side by side", Unit: "MiB",
			Means: "The sum of the proportional set sizes, divided by their number: what is shared is shared here.",
			Not:   "Without what the kernel keeps for them."},
		{Key: "density.available", Title: "available memory less for each", Unit: "MiB",
			Means: "By how much MemAvailable (proc_meminfo(5)) fell, divided by their number: with the kernel's own part, and the page cache.",
			Not:   "Whatever else happens on the machine meanwhile is in it, and may even make it negative. Trust it on a machine that is left alone."},
	},
	subjects: func(_ context.Context, _ *bench, all []Contender) (subjects []subject, _ []Absent) {
		for _, c := range all {
			if whole(c) && !c.slow {
				subjects = append(subjects, subject{name: c.Name, kind: c.Kind, slow: c.slow, trial: func(ctx context.Context) (map[string]float64, error) { return crowd(ctx, c) }})
			}
		}
		return subjects, nil
	},
}

// crowd starts idle instances until the amount is full or the bound is reached,
// and ends them.
func crowd(ctx context.Context, c Contender) (values map[string]float64, err error) {
	var standing []*instance
	defer func() {
		for _, i := range standing {
			err = errors.Join(err, i.end())
		}
	}()
	before, err := available()
	if err != nil {
		return nil, err
	}
	for most := 0.0; ; {
		i, err := c.start(ctx, idle...)
		if err != nil {
			return nil, err
		}
		standing = append(standing, i)
		if _, err := i.first(); err != nil {
			return nil, err
		}
		alone, err := together([]*instance{i})
		if err != nil {
			return nil, err
		}
		// What they share makes the sum smaller than this, which takes no looking at all.
		most += alone
		n := len(standing)
		if n < bound && most <= amount*mebibyte {
			continue
		}
		sum, err := together(standing)
		if err != nil {
			return nil, err
		}
		if full := sum > amount*mebibyte; full || n == bound {
			after, err := available()
			if full {
				n--
			}
			return map[string]float64{"density.count": float64(n), "density.pss": sum / mebibyte / float64(len(standing)),
				"density.available": (before - after) / mebibyte / float64(len(standing))}, err
		}
	}
}

// together is the sum of the proportional set sizes of all, in bytes.
func together(all []*instance) (sum float64, err error) {
	for _, i := range all {
		for _, pid := range i.pids() {
			pss, err := proportional(pid)
			if err != nil && !ended(err) {
				return 0, err
			}
			sum += pss
		}
	}
	return sum, nil
}

// available is how much memory the kernel thinks it could give, in bytes.
func available() (float64, error) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		var kib float64
		if n, _ := fmt.Sscanf(line, "MemAvailable: %g kB", &kib); n == 1 {
			return kib * 1024, nil
		}
	}
	return 0, errors.New("read /proc/meminfo: no MemAvailable")
}
