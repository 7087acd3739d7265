package stages

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"cutaway/sandbox/sys"
)

// lookNested has the container make a PID namespace in its own, and one in that:
// pid_namespaces(7), "Nesting PID namespaces".
func lookNested(l *Look) {
	l.Note("PID namespaces nest: now one in the container's, and one in that")
	l.Inside("unshare -pf sh -c 'unshare -pf sleep 600; true' & echo started", "a shell that is number 1, and a sleep that is number 1 further down", says("started"))
	pids, err := l.descent()
	if err != nil || len(pids) < 2 {
		l.report("outside", "find them", Out{Text: fmt.Sprint(pids, err), Status: 1}, "a process in the third namespace", false)
		return
	}
	deepest := pids[len(pids)-1]
	status := fmt.Sprintf("/proc/%d/status", deepest)
	l.Outside("grep NSpid "+status, "four numbers: the host's, the container's, two more", readLine(status, "NSpid:"), func(text string) bool {
		numbers := strings.Fields(text)
		return len(numbers) == 5 && numbers[1] == strconv.Itoa(deepest) && numbers[4] == "1"
	})
	l.Outside("lsns -nt pid -o NS,PNS   # of the three", "each in the one above",
		func() (string, error) { return parentage(append([]int{l.Container.PID()}, pids...)) }, chained)
	middle := ""
	l.Inside("ps -o pid,ppid,comm", "who is above sees all, by its own numbers", func(o Out) bool {
		middle = numberOf(o, "sh")
		return middle != "" && o.Has("sleep")
	})
	l.Predict("SIGKILL for that second shell, number 1 of the middle namespace. What becomes of the sleep below?")
	l.Inside("kill -KILL "+middle+"; sleep 0.1; ps -o pid,ppid,comm", "gone: a namespace ends with its number 1, and so do those inside it",
		func(o Out) bool { return numberOf(o, "sh") == "" && !o.Has("sleep") })
}

// descent lists the container's processes from a child of number 1 down to a
// sleep in the innermost namespace, once that is there.
func (l *Look) descent() (pids []int, err error) {
	_, err = l.eventually(func() (string, error) {
		pids = nil
		name := ""
		for at := l.Container.PID(); ; {
			list, err := children(at)
			if err != nil || list == "" {
				return name, err
			}
			f := strings.Fields(list)
			if at, err = strconv.Atoi(f[0]); err != nil {
				return "", err
			}
			name = f[2]
			pids = append(pids, at)
		}
	}, is("sleep"))()
	return pids, err
}

// parentage lists the PID namespaces of the processes, innermost last, and the
// parent of each: ioctl_ns(2), NS_GET_PARENT.
func parentage(pids []int) (string, error) {
	var lines []string
	for _, pid := range pids {
		file := fmt.Sprintf("/proc/%d/ns/pid", pid)
		name, err := os.Readlink(file)
		if err != nil {
			return "", err
		}
		parent, err := sys.NamespaceParent(file)
		if err != nil {
			return "", err
		}
		line := fmt.Sprintf("%s %d", strings.Trim(name, "pid:[]"), parent)
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n"), nil
}

// chained checks that each namespace of such a list is in the one before it.
func chained(list string) bool {
	f := strings.Fields(list)
	return len(f) == 6 && f[0] == f[3] && f[2] == f[5] && f[0] != f[2] && f[2] != f[4]
}

// numberOf finds in a list of ps the process with a name, other than number 1.
func numberOf(o Out, name string) string {
	for line := range strings.Lines(o.Text) {
		if f := strings.Fields(line); len(f) == 3 && f[2] == name && f[0] != "1" {
			return f[0]
		}
	}
	return ""
}
