package stages

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"cutaway/sandbox/inspect"
)

// What the looks read on the host, below /proc and by stat(2). Each function
// gives what the command shown beside it prints.

// containing keeps the lines of s that hold one of the words, as grep -E does.
func containing(s string, words ...string) string {
	var kept strings.Builder
	for l := range strings.Lines(s) {
		if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(l, w) }) {
			kept.WriteString(l)
		}
	}
	return kept.String()
}

// eachNamespace is the shell command that names the namespaces of a process.
func eachNamespace(pid string) string {
	return "echo $(for n in /proc/" + pid + "/ns/*; do readlink $n; done)"
}

// namespaces does the same in Go: "cgroup:[4026531835] ipc:[4026531839] ...".
func namespaces(pid string) (string, error) {
	files, err := os.ReadDir("/proc/" + pid + "/ns")
	if err != nil {
		return "", err
	}
	var names []string
	for _, f := range files {
		name, err := os.Readlink("/proc/" + pid + "/ns/" + f.Name())
		if err != nil {
			return "", err
		}
		names = append(names, name)
	}
	return strings.Join(names, " "), nil
}

// identity tells one directory from all others, in the words of `probe escape`.
func identity(path string) (string, error) {
	st, err := stat(path)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("dev %d:%d inode %d", st.Dev>>8&0xfff, st.Dev&0xff|st.Dev>>12&0xfff00, st.Ino), nil
}

// inode gives what `ls -di` prints.
func inode(path string) (string, error) {
	st, err := stat(path)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d /", st.Ino), nil
}

func stat(path string) (*syscall.Stat_t, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil, fmt.Errorf("stat %s: no inode in the answer", path)
	}
	return st, nil
}

// descriptors gives the open files of a process: "0 -> pipe:[4711]".
func descriptors(pid int) (string, error) {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	files, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	var open []string
	for _, f := range files {
		target, err := os.Readlink(filepath.Join(dir, f.Name()))
		if err != nil {
			return "", err
		}
		open = append(open, f.Name()+" -> "+target)
	}
	return strings.Join(open, "\n"), nil
}

// names lists a directory on one line, as `echo $(ls)` does.
func names(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " "), err
}

// uname gives what `uname -srv` prints: the kernel's name, release and build.
func uname() (string, error) {
	var words []string
	for _, file := range []string{"ostype", "osrelease", "version"} {
		text, err := readFile("/proc/sys/kernel/" + file)()
		if err != nil {
			return "", err
		}
		words = append(words, strings.TrimSpace(text))
	}
	return strings.Join(words, " "), nil
}

// mountTable gives the mounts a process sees: where, what type, and whether
// they are shared with other mount tables.
func mountTable(pid int) (string, error) {
	snapshot, err := inspect.OfProcess(pid)
	if err != nil {
		return "", err
	}
	table := fmt.Sprintf("%-8s %-8s %s", "TARGET", "FSTYPE", "PROPAGATION")
	for _, m := range snapshot.Of(inspect.Mount) {
		table += fmt.Sprintf("\n%-8s %-8s %s", m.Detail.Get("target"), m.Detail.Get("type"), m.Detail.Get("propagation"))
	}
	return table, nil
}

// children lists the processes whose parent is pid: "4711 Z sleep".
func children(pid int) (string, error) {
	files, err := filepath.Glob("/proc/[0-9]*/status")
	if err != nil {
		return "", err
	}
	var found []string
	for _, f := range files {
		status, err := readFile(f)()
		if err != nil {
			continue // it has ended since it was listed
		}
		o := Out{Text: status}
		parent, name, state := o.Line("PPid:"), o.Line("Name:"), o.Line("State:")
		if len(parent) > 1 && len(name) > 1 && len(state) > 1 && parent[1] == strconv.Itoa(pid) {
			found = append(found, filepath.Base(filepath.Dir(f))+" "+state[1]+" "+name[1])
		}
	}
	return strings.Join(found, "\n"), nil
}

// sameBoot checks a boot id read inside. The kernel makes one up each time it
// starts: random(4).
func sameBoot(o Out) bool {
	id, err := readFile("/proc/sys/kernel/random/boot_id")()
	return err == nil && o.Text == strings.TrimSpace(id)
}

// isZombie checks that a list of children has one that ended and nobody asked for.
func isZombie(list string) bool { return strings.Contains(list, " Z ") }

// eventually reads until the check holds, for at most five seconds: what the other
// side does takes its time. What was read last counts.
func (l *Look) eventually(read func() (string, error), check func(string) bool) func() (string, error) {
	return func() (string, error) {
		for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			text, err := read()
			if err != nil || check(text) || time.Now().After(deadline) || l.over() {
				return text, err
			}
		}
	}
}

// sysvTables gives the System V objects of the reader's IPC namespace, each with
// its kind, key and number: sysvipc(7).
func sysvTables() (string, error) {
	var rows []string
	for _, kind := range []string{"shm", "sem", "msg"} {
		table, err := readFile("/proc/sysvipc/" + kind)()
		if err != nil {
			return "", err
		}
		for l := range strings.Lines(table) {
			if f := strings.Fields(l); len(f) > 1 {
				rows = append(rows, strings.Join([]string{kind, f[0], f[1]}, " "))
			}
		}
	}
	return strings.Join(rows, "\n"), nil
}
