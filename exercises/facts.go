package exercises

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"cutaway/sandbox/inspect"
)

// A fact is named by the kind of object and the key that inspect gives it:
//
//	process.uts                      the UTS namespace the process is in
//	uts.nodename                     the host name in that namespace
//	mount[target=/proc].type         of the mount at /proc
//	cgroup.memory.max                of the process's control group
//	mount[target=/proc]              whether there is one: "yes" or "no"
//
// Of several objects that fit, the last one counts: a later mount covers an
// earlier one.

// fact reads one from a Snapshot. What is not there is "".
func fact(s *inspect.Snapshot, name string) string {
	kind, key, of := strings.Cut(name, ".")
	where := ""
	if head, rest, ok := strings.Cut(name, "["); ok {
		if sel, tail, ok := strings.Cut(rest, "]"); ok {
			kind, where = head, sel
			key, of = strings.CutPrefix(tail, ".")
		}
	}
	selKey, selValue, _ := strings.Cut(where, "=")
	var found *inspect.Object
	for i := range s.Objects {
		o := &s.Objects[i]
		if string(o.Kind) == kind && (where == "" || o.Detail.Get(selKey) == selValue || selKey == "id" && o.ID == selValue) {
			found = o
		}
	}
	switch {
	case !of && found != nil:
		return "yes"
	case !of:
		return "no"
	case found == nil:
		return ""
	case key == "id":
		return found.ID
	}
	return found.Detail.Get(key)
}

// findProcess gives the pid of the process with that command line, as this
// process counts. With several it takes the one whose parents are not called
// the same, so that a shell's -c is no process of ours.
func findProcess(command string) (int, error) {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return 0, err
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		if strings.TrimRight(strings.ReplaceAll(string(b), "\x00", " "), " ") != command {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			return 0, fmt.Errorf("read %s: %w", file, err)
		}
		return pid, nil
	}
	return 0, nil
}

// holds compares a value with what it has to be, and says what that is.
func (m Must) holds(value, host string, params map[string]string) (ok bool, expected string) {
	given := func(s string) string { return strings.ReplaceAll(fill(s, params), "{{host}}", host) }
	switch {
	case m.Is != nil:
		return value == given(*m.Is), given(*m.Is)
	case m.Not != nil:
		return value != given(*m.Not), "anything but " + given(*m.Not)
	case m.Has != "":
		return strings.Contains(value, given(m.Has)), "something with " + given(m.Has)
	}
	return !strings.Contains(value, given(m.Lacks)), "nothing with " + given(m.Lacks)
}
