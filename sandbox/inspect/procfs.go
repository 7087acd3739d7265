package inspect

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
)

// nsFile gives the name in /proc/PID/ns of each kind of namespace
// (namespaces(7)).
var nsFile = map[Kind]string{
	User: "user", Mnt: "mnt", UTS: "uts", PID: "pid",
	IPC: "ipc", Net: "net", CgroupNS: "cgroup", Time: "time",
}

// nsKinds are the kinds of namespace in the order of Kinds.
var nsKinds = Kinds[:8]

// machine is what one pass over /proc tells about every process.
type machine struct {
	parent     map[int]int    // pid -> parent's pid
	population map[string]int // namespace -> processes in it, of those the reader may see
}

// readMachine makes that pass. Processes that end meanwhile are left out.
func readMachine() (machine, error) {
	m := machine{parent: map[int]int{}, population: map[string]int{}}
	names, err := readNames("/proc")
	if err != nil {
		return m, fmt.Errorf("list processes: %w", err)
	}
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue // not a process: /proc/meminfo and the like
		}
		stat, err := os.ReadFile("/proc/" + name + "/stat")
		if err != nil {
			continue
		}
		if fields := statFields(stat); len(fields) > 1 {
			m.parent[pid], _ = strconv.Atoi(fields[1]) // the kernel writes a number there
		}
		for _, ns := range readNamespaces("/proc/" + name) {
			m.population[ns]++
		}
	}
	return m, nil
}

// statFields splits the text of /proc/PID/stat after the command name, which
// may itself hold blanks and parentheses: field 0 is the state, 1 the parent
// (proc_pid_stat(5) numbers them 3 and 4).
func statFields(stat []byte) []string {
	_, rest, found := cutLast(string(stat), ")")
	if !found {
		return nil
	}
	return strings.Fields(rest)
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// trees returns the roots that exist and all their descendants, by pid.
func (m machine) trees(roots []int) []int {
	children := map[int][]int{}
	for pid, parent := range m.parent {
		children[parent] = append(children[parent], pid)
	}
	in := map[int]bool{}
	todo := slices.Clone(roots)
	for len(todo) > 0 {
		pid := todo[0]
		todo = todo[1:]
		if _, exists := m.parent[pid]; exists && !in[pid] {
			in[pid] = true
			todo = append(todo, children[pid]...)
		}
	}
	var pids []int
	for pid := range in {
		pids = append(pids, pid)
	}
	slices.Sort(pids)
	return pids
}

// readNamespaces returns the namespaces of a process as the links in its ns
// directory name them: the type and the inode number. Links the reader may not
// follow, or that a zombie no longer has, are left out.
func readNamespaces(proc string) map[Kind]string {
	ns := make(map[Kind]string, len(nsKinds))
	for _, kind := range nsKinds {
		if link, err := os.Readlink(proc + "/ns/" + nsFile[kind]); err == nil {
			ns[kind] = link
		}
	}
	return ns
}

// parseStatus splits /proc/PID/status into its fields, blanks reduced to one
// space (proc_pid_status(5)).
func parseStatus(text []byte) map[string]string {
	fields := map[string]string{}
	for line := range bytes.Lines(text) {
		key, value, found := strings.Cut(string(line), ":")
		if found {
			fields[key] = oneLine(value)
		}
	}
	return fields
}

// oneLine reduces every run of blanks and line ends to one space.
func oneLine(s string) string {
	return strings.Join(strings.Fields(s), " ")
}

// lines joins the lines of s with "; ", each with single spaces.
func lines(s string) string {
	var out []string
	for line := range strings.Lines(s) {
		if line = oneLine(line); line != "" {
			out = append(out, line)
		}
	}
	return strings.Join(out, "; ")
}

// readText reads a small kernel file, without the blanks around it.
func readText(path string) (string, error) {
	text, err := os.ReadFile(path)
	return strings.TrimSpace(string(text)), err
}

// readNames lists a directory without asking the kernel about each entry.
func readNames(dir string) ([]string, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}

// readDir is os.ReadDir but for a directory that is none: that is an error of
// its own, never the contents of what a symbolic link points to.
func readDir(dir string) ([]fs.DirEntry, error) {
	info, err := os.Lstat(dir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, nil
	}
	return os.ReadDir(dir)
}
