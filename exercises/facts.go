package exercises

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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
//	cgroup[pids.max=40].path         that of the group with this limit: "/a/b"
//	caps.bounding CAP_MKNOD          whether it is in that set: "yes" or "no"
//	mount[target=/proc]              whether there is one: "yes" or "no"
//	machine mount[target=/mnt]       the same of the machine, as the checker sees it
//
// Of several objects that fit, the last one counts: a later mount covers an
// earlier one. Of control groups it is the last that has the key, for with
// version 1 a process is in one for each controller.

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
		fits := where == "" || o.Detail.Get(selKey) == selValue || selKey == "id" && o.ID == selValue
		if string(o.Kind) == kind && fits && (kind != "cgroup" || !of || detail(o, key) != "") {
			found = o
		}
	}
	switch {
	case !of:
		return yesNo(found != nil)
	case found == nil:
		return ""
	}
	return detail(found, key)
}

// detail reads one fact of an object: of those inspect has, or that follow from
// them.
func detail(o *inspect.Object, key string) string {
	set, capability, one := strings.Cut(key, " CAP_")
	switch {
	case key == "id":
		return o.ID
	case o.Kind == inspect.Cgroup && key == "path":
		_, path, v1 := strings.Cut(o.ID, ":")
		if !v1 {
			path = o.ID
		}
		return "/" + strings.TrimPrefix(path, "/")
	case o.Kind == inspect.Caps && one:
		return yesNo(inSet(o.Detail.Get(set), "CAP_"+capability))
	}
	return o.Detail.Get(key)
}

// inSet reports whether a capability is in a set as inspect writes it: by those
// it has, or by those it lacks, "all 41 but CAP_MKNOD".
func inSet(set, capability string) bool {
	return slices.Contains(strings.Fields(set), capability) != strings.HasPrefix(set, "all ")
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
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

// view is what the checks of one moment look at.
type view struct {
	pid             int
	mark            string // for the environment of what a check starts
	theirs, machine *inspect.Snapshot
	params, answers map[string]string
	limited         bool // commands get no more capabilities than the process could
}

// value gives a fact of the process, or after "machine " of the machine.
func (v view) value(name string) string {
	if name, ok := strings.CutPrefix(name, "machine "); ok {
		return fact(v.machine, name)
	}
	return fact(v.theirs, name)
}

// placeholder is a fact in a text, as in {{process.id}} or {{machine uts.nodename}}.
var placeholder = regexp.MustCompile(`\{\{[a-z ]+[.\[][^{}]*\}\}`)

// fill puts what was drawn, and facts, into a text.
func (v view) fill(text string) string {
	return placeholder.ReplaceAllStringFunc(fill(text, v.params), func(found string) string {
		return v.value(strings.Trim(found, "{}"))
	})
}

// holds compares a value with what it has to be, and says what that is.
func (v view) holds(m Must, value, host string) (ok bool, expected string) {
	given := func(s string) string { return v.fill(strings.ReplaceAll(s, "{{host}}", host)) }
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
