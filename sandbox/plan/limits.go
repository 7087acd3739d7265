package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cutaway/sandbox/features"
)

// LimitFile is one limit, under the name this machine's hierarchy gives it.
type LimitFile struct {
	Controller string // v2 name
	File       string
	Value      string
	Why        string
	Optional   bool // not every kernel is built with the file
}

// defaultPeriod is the length of a new group's period, in microseconds:
// sched-bwc.rst in the kernel's documentation.
const defaultPeriod = "100000"

// Files lists what to write for the limits, in v2 or v1 form. The two forms side
// by side are a piece of history: v1 grew its names controller by controller,
// v2 made them alike.
func (r Resources) Files(mode string) []LimitFile {
	v2 := mode == features.Unified
	files := append(r.memory(v2), r.processes(v2)...)
	for _, io := range r.IOMax {
		files = append(files, io.files(v2)...)
	}
	return files
}

// either picks the name, or the words, of one version.
func either(v2 bool, two, one string) string {
	if v2 {
		return two
	}
	return one
}

func (r Resources) memory(v2 bool) (files []LimitFile) {
	if r.MemoryMax > 0 {
		swap := LimitFile{Controller: "memory", File: "memory.swap.max", Value: "0", Optional: true, Why: "no swap beside it, or the wall would only be slow"}
		if !v2 {
			swap.File, swap.Value = "memory.memsw.limit_in_bytes", strconv.FormatInt(r.MemoryMax, 10)
		}
		files = append(files, LimitFile{Controller: "memory", File: either(v2, "memory.max", "memory.limit_in_bytes"),
			Value: strconv.FormatInt(r.MemoryMax, 10), Why: "a hard wall: beyond it the kernel reclaims, then kills"}, swap)
	}
	if r.MemoryHigh > 0 {
		files = append(files, LimitFile{Controller: "memory", File: either(v2, "memory.high", "memory.soft_limit_in_bytes"),
			Value: strconv.FormatInt(r.MemoryHigh, 10),
			Why: either(v2, "a soft wall below the hard one: beyond it the kernel slows the group down",
				"a soft wall: when the machine is short, the kernel takes back what is beyond it first")})
	}
	return files
}

// processes limits how many there are and how much they compute.
func (r Resources) processes(v2 bool) (files []LimitFile) {
	add := func(controller, file, value, why string) {
		files = append(files, LimitFile{Controller: controller, File: file, Value: value, Why: why})
	}
	if r.PidsMax > 0 {
		add("pids", "pids.max", strconv.FormatInt(r.PidsMax, 10), "a fork bomb stops here")
	}
	const quotaWhy = "so much processor time in each period, and then the group waits"
	quota, period, limited := strings.Cut(r.CPUMax, " ")
	switch {
	case limited && v2:
		add("cpu", "cpu.max", r.CPUMax, quotaWhy)
	case limited:
		if period != defaultPeriod {
			add("cpu", "cpu.cfs_period_us", period, quotaWhy)
		}
		add("cpu", "cpu.cfs_quota_us", quota, quotaWhy)
	}
	if r.CPUWeight > 0 {
		value := r.CPUWeight
		if !v2 { // shares: 1024 is ordinary, where the weight's is 100
			value = value * 1024 / 100
		}
		add("cpu", either(v2, "cpu.weight", "cpu.shares"), strconv.FormatInt(value, 10),
			"a share for when others want the processor too; it caps nothing")
	}
	return files
}

// Disk is the entry of IOMax for a disk, which is made if there is none.
func (r *Resources) Disk(device string) *IOMax {
	i := slices.IndexFunc(r.IOMax, func(m IOMax) bool { return m.Device == device })
	if i < 0 {
		i = len(r.IOMax)
		r.IOMax = append(r.IOMax, IOMax{Device: device})
	}
	return &r.IOMax[i]
}

// files has one line for v2; v1 has a file for each number.
func (io IOMax) files(v2 bool) (files []LimitFile) {
	const why = "so much traffic with this disk in a second, and then who reads or writes waits"
	line := io.Device
	for _, l := range []struct {
		key, v1 string
		limit   int64
	}{
		{"rbps", "read_bps", io.ReadBPS}, {"wbps", "write_bps", io.WriteBPS},
		{"riops", "read_iops", io.ReadIOPS}, {"wiops", "write_iops", io.WriteIOPS},
	} {
		if l.limit > 0 {
			line += " " + l.key + "=" + strconv.FormatInt(l.limit, 10)
			files = append(files, LimitFile{Controller: "io", File: "blkio.throttle." + l.v1 + "_device",
				Value: io.Device + " " + strconv.FormatInt(l.limit, 10), Why: why})
		}
	}
	if v2 && len(files) > 0 {
		return []LimitFile{{Controller: "io", File: "io.max", Value: line, Why: why}}
	}
	return files
}

// ParseSize reads a size in bytes with an optional suffix b, k, m, g (powers of
// 1024), as docker takes them.
func ParseSize(text string) (int64, error) {
	number := strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(text), "b"), "i")
	unit := int64(1)
	if n := len(number); n > 0 {
		if i := strings.IndexByte("kmgt", number[n-1]); i >= 0 {
			unit, number = int64(1)<<(10*(i+1)), number[:n-1]
		}
	}
	value, err := strconv.ParseFloat(number, 64)
	if err != nil || !(value >= 0 && value*float64(unit) < 1<<63) { // NaN is in no range
		return 0, fmt.Errorf("size %q: want a number of bytes, with k, m or g if you like: 64m", text)
	}
	return int64(value * float64(unit)), nil
}
