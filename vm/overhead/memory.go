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

// memory measures what an instance takes that does nothing, as the host sees it:
// a shell that waits for its input, and whatever has to be there for it.
var memory = experiment{
	group: "memory",
	boots: true,
	measures: []Measure{
		{Key: "memory.pss", Title: "memory of an idle instance", Unit: "MiB",
			Means: "The proportional set size (proc_pid_smaps(5)) of all processes that are there for one instance: the shell, and the tool that waits beside it, its shim or monitor. For a machine it is the whole QEMU process, the guest's memory as far as the guest has touched it with it.",
			Not:   "A page that several processes map counts for each by its share, so a second instance makes the first cheaper: see density. Page cache that is not mapped, and what the kernel keeps for namespaces and mounts, are not in it. A guest hardly gives back what it has touched once."},
		{Key: "memory.vmm", Title: "memory of a machine's monitor without its guest", Unit: "MiB", Base: "microVM",
			Means: "The proportional set size of QEMU less that of the guest's memory: what is paid for having a machine at all (proc_pid_smaps(5), all mappings but the one of the size of that memory).",
			Not:   "Emulating in software, QEMU keeps there the code it has translated, which KVM needs not. It grows with what the guest does."},
		{Key: "memory.kernel", Title: "kernel memory of its control group", Unit: "MiB",
			Means: "What the kernel has allocated on behalf of the group's processes: stacks, page tables, dentries and inodes (memory.stat, kernel; in cgroup v1 memory.kmem.usage_in_bytes).",
			Not:   "Only where the tool made a group of its own that counts memory. Namespaces and mounts are partly charged to whoever made them, so to the tool."},
	},
	subjects: func(_ context.Context, b *bench, all []Contender) (subjects []subject, _ []Absent) {
		for _, c := range all {
			subjects = append(subjects, subject{name: c.Name, kind: c.Kind, slow: c.slow, trial: func(ctx context.Context) (map[string]float64, error) {
				i, err := c.start(ctx, idle...)
				if err != nil {
					return nil, err
				}
				_, err = i.first()
				var values map[string]float64
				if err == nil {
					values, err = b.taken(i, c)
				}
				return values, errors.Join(err, i.end())
			}})
		}
		return subjects, nil
	},
}

const mebibyte = 1 << 20

// taken reads the memory of an instance of c.
func (b *bench) taken(i *instance, c Contender) (map[string]float64, error) {
	sum, err := together([]*instance{i})
	if err != nil {
		return nil, err
	}
	pids := i.pids()
	values := map[string]float64{"memory.pss": sum / mebibyte}
	if kernel, ok := b.kernelMemory(pids[len(pids)-1]); ok {
		values["memory.kernel"] = kernel / mebibyte
	}
	if c.memory > 0 {
		guest, err := mapped(pids[0], c.memory)
		if err != nil {
			return nil, err
		}
		values["memory.vmm"] = (sum - guest) / mebibyte
	}
	return values, nil
}

// mapped is the proportional set size, in bytes, of a process's mappings that are
// of this size, in MiB: of QEMU's, the guest's memory.
func mapped(pid, size int) (sum float64, err error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/smaps")
	if err != nil {
		return 0, fmt.Errorf("read the mappings of process %d: %w", pid, err)
	}
	wanted, found := false, false
	for line := range strings.Lines(string(text)) {
		var kib float64
		if n, _ := fmt.Sscanf(line, "Size: %g kB", &kib); n == 1 {
			wanted = int(kib) == size<<10
			found = found || wanted
		}
		if n, _ := fmt.Sscanf(line, "Pss: %g kB", &kib); n == 1 && wanted {
			sum += kib * 1024
		}
	}
	if !found {
		return 0, fmt.Errorf("find the guest's memory in the mappings of process %d: none is of %d MiB", pid, size)
	}
	return sum, nil
}

// ended reports whether an error says that the process is no more.
func ended(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) }

// proportional is the proportional set size of a process, in bytes.
func proportional(pid int) (float64, error) {
	file := "/proc/" + strconv.Itoa(pid) + "/smaps_rollup"
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, fmt.Errorf("read how much memory process %d has: %w", pid, err)
	}
	for line := range strings.Lines(string(text)) {
		var kib float64
		if n, _ := fmt.Sscanf(line, "Pss: %g kB", &kib); n == 1 {
			return kib * 1024, nil
		}
	}
	return 0, fmt.Errorf("read %s: no Pss", file)
}

// kernelMemory is what the group of a process has of the kernel's, in bytes; ok
// is false where it has no group of its own that counts memory.
func (b *bench) kernelMemory(pid int) (size float64, ok bool) {
	mount, known := b.lab.Features.Cgroup.Dir("memory")
	if !known {
		return 0, false
	}
	unified := mount == b.lab.Features.Cgroup.Root
	group, ours := memoryGroup(strconv.Itoa(pid), unified), memoryGroup("self", unified)
	if group == "" || group == ours || group == "/" {
		return 0, false
	}
	if !unified {
		text, err := os.ReadFile(filepath.Join(mount, group, "memory.kmem.usage_in_bytes"))
		if err == nil {
			size, err = strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
		}
		return size, err == nil
	}
	text, err := os.ReadFile(filepath.Join(mount, group, "memory.stat"))
	for line := range strings.Lines(string(text)) {
		if n, _ := fmt.Sscanf(line, "kernel %g", &size); n == 1 {
			return size, err == nil
		}
	}
	return 0, false // before Linux 5.18 it is not told
}

// memoryGroup is the path of a process's group in the hierarchy that counts
// memory: cgroups(7), /proc/PID/cgroup.
func memoryGroup(pid string, unified bool) string {
	text, err := os.ReadFile("/proc/" + pid + "/cgroup")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) == 3 && (unified && f[0] == "0" || slices.Contains(strings.Split(f[1], ","), "memory")) {
			return f[2]
		}
	}
	return ""
}
