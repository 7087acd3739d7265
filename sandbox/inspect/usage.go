package inspect

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Usage is what the processes of a control group use, may use, and were refused
// since the group was made. A number the kernel does not tell, because it was
// built without that or the group has no such controller, is Unknown; of a limit
// that means that there is none.
type Usage struct {
	Taken     time.Time `json:"taken"`
	CPU       int64     `json:"cpu_usec"`
	Throttled int64     `json:"throttled_usec"`
	CPUMax    float64   `json:"cpu_max"` // processors
	Memory    int64     `json:"memory_bytes"`
	MemoryMax int64     `json:"memory_max"`
	Pids      int64     `json:"pids"`
	PidsMax   int64     `json:"pids_max"`
	Read      int64     `json:"read_bytes"`
	Written   int64     `json:"written_bytes"`
	Killed    int64     `json:"oom_kills"`
	Refused   int64     `json:"forks_refused"`
	// Waited is the share of the last ten seconds, in percent, in which some
	// process waited for what it lacked: "processor", "memory", "disk". It is empty
	// without PSI: psi.rst in the kernel's documentation.
	Waited map[string]float64 `json:"waited,omitempty"`
}

// Unknown stands for a number that is not told.
const Unknown = -1

// UsageOf reads the usage of one container, whose group is a directory in each
// of the hierarchies: one of v2, several of v1. The error is os.ErrNotExist when
// the group is gone.
func UsageOf(ctx context.Context, dirs []string) (Usage, error) {
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, "cgroup.procs")); err != nil {
			return Usage{}, fmt.Errorf("find control group: %w", err)
		}
	}
	s, err := Take(ctx, Scope{CgroupRoots: dirs})
	if err != nil {
		return Usage{}, err
	}
	facts := Detail{}
	for _, o := range s.Of(Cgroup) { // those below come after
		for _, f := range o.Detail {
			if _, known := find(facts, f.Key); !known {
				facts = append(facts, f)
			}
		}
	}
	number := func(key string) int64 {
		n, err := strconv.ParseInt(facts.Get(key), 10, 64)
		if err != nil {
			return Unknown
		}
		return n
	}
	u := Usage{Taken: s.Taken, CPU: number("cpu.stat usage_usec"), Throttled: number("cpu.stat throttled_usec"), CPUMax: processors(facts.Get("cpu.max")),
		Memory: number("memory.current"), MemoryMax: number("memory.max"), Pids: number("pids.current"), PidsMax: number("pids.max"),
		Read: number("io.stat rbytes"), Written: number("io.stat wbytes"), Killed: number("memory.events oom_kill"), Refused: number("pids.events max"),
		Waited: waited(facts)}
	if u.CPU == Unknown { // v1 counts that in a hierarchy of its own
		u.CPU = s.timeOf(dirs)
	}
	return u, nil
}

// processors reads cpu.max: "50000 100000" is half a processor.
func processors(text string) float64 {
	var quota, period float64
	if n, _ := fmt.Sscanf(text, "%f %f", &quota, &period); n < 2 || period == 0 {
		return Unknown
	}
	return quota / period
}

// waited reads the pressure files: "avg10=1.25 avg60=0.30 avg300=0.00 total=77".
func waited(facts Detail) map[string]float64 {
	shares := map[string]float64{}
	for name, key := range map[string]string{"processor": "cpu.pressure some", "memory": "memory.pressure some", "disk": "io.pressure some"} {
		var share float64
		if n, _ := fmt.Sscanf(facts.Get(key), "avg10=%f", &share); n == 1 {
			shares[name] = share
		}
	}
	return shares
}

// timeOf adds up the processor time, in microseconds, of the processes in a
// group and of those of their children that have ended and been waited for:
// proc_pid_stat(5), utime to cstime.
func (s *Snapshot) timeOf(dirs []string) int64 {
	const tick = 1e6 / 100 // USER_HZ, on every architecture the lab runs on
	ticks := int64(0)
	for _, pid := range processesIn(dirs) {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil {
			continue // it has ended
		}
		if f := statFields(stat); len(f) > 14 {
			for _, field := range f[11:15] {
				n, _ := strconv.ParseInt(field, 10, 64) // the kernel writes numbers there
				ticks += n
			}
		}
	}
	return ticks * tick
}

// processesIn lists the processes of the first of a group's directories.
func processesIn(dirs []string) []string {
	if len(dirs) == 0 {
		return nil
	}
	text, err := readText(filepath.Join(dirs[0], "cgroup.procs"))
	if err != nil {
		return nil
	}
	return strings.Fields(text)
}

// Rates are what a group used and waited in each second between two looks at it.
type Rates struct {
	CPU       float64 `json:"cpu"`       // processors
	Throttled float64 `json:"throttled"` // share of the time it was made to wait
	Read      float64 `json:"read"`      // bytes a second
	Written   float64 `json:"written"`
}

// Since gives the rates between an earlier look and this one.
func (u Usage) Since(earlier Usage) Rates {
	seconds := u.Taken.Sub(earlier.Taken).Seconds()
	rate := func(now, before int64) float64 {
		if now < 0 || before < 0 || seconds <= 0 {
			return 0
		}
		return math.Max(0, float64(now-before)/seconds)
	}
	return Rates{CPU: rate(u.CPU, earlier.CPU) / 1e6, Throttled: rate(u.Throttled, earlier.Throttled) / 1e6,
		Read: rate(u.Read, earlier.Read), Written: rate(u.Written, earlier.Written)}
}
