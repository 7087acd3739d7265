package stages

import (
	"context"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"cutaway/sandbox/inspect"
)

// effect is what became of facts about a container's control group while
// something was done: their values before and after, under the names that
// package inspect gives them: "memory.events oom_kill".
type effect struct {
	was, is map[string]string
	changed []inspect.Object
}

// rise is by how much a counter has grown.
func (e effect) rise(fact string) int {
	return count(e.is[fact]) - count(e.was[fact])
}

// count reads a counter, or the total at the end of a line of a pressure file:
// "avg10=0.00 avg60=0.00 avg300=0.00 total=1234".
func count(text string) int {
	n, err := strconv.Atoi(text[strings.LastIndex(text, "=")+1:])
	if err != nil {
		return 0 // the group has no such file
	}
	return n
}

// Effect runs a command inside and shows beside its output which of the facts
// about the container's control group it changed.
func (l *Look) Effect(command, expect string, facts []string, check func(Out, effect) bool) Out {
	var out Out
	e, err := l.during(facts, func() (err error) { out, err = l.run(command); return err })
	if err != nil {
		out = Out{Text: err.Error(), Status: -1}
	}
	l.report(l.inside(), command, out, expect, err == nil && check(out, e), e.changed...)
	return out
}

// Steady is Effect for what a busy machine can spoil: where the first command does
// not show what is expected, the next one is tried. The last has to.
func (l *Look) Steady(commands []string, expect string, facts []string, check func(Out, effect) bool) Out {
	for _, command := range commands[:len(commands)-1] {
		var out Out
		e, err := l.during(facts, func() (err error) { out, err = l.run(command); return err })
		if err != nil {
			break // so will the last
		}
		if check(out, e) {
			l.report(l.inside(), command, out, expect, true, e.changed...)
			return out
		}
		l.onceMore()
	}
	return l.Effect(commands[len(commands)-1], expect, facts, check)
}

// onceMore tells that something is measured again, and what may be in the way.
func (l *Look) onceMore() {
	load, err := os.ReadFile("/proc/loadavg")
	words := strings.Fields(string(load))
	if err != nil || len(words) < 4 {
		l.Note("that did not show it; once more")
		return
	}
	running, _, _ := strings.Cut(words[3], "/")
	l.Note("that did not show it; once more, for longer. In the last minute this machine had %s processes that wanted to run, now %s, and %d processors", words[0], running, runtime.NumCPU())
}

// Set writes a limit of the container's control group from outside, and shows
// that the group has it. what is the command a person would use.
func (l *Look) Set(file, value, expect string, facts ...string) {
	e, err := l.during(facts, func() error { return l.writeGroup(file, value) })
	out := Out{}
	if err != nil {
		out = Out{Text: err.Error(), Status: 1}
	}
	l.report("outside", "echo "+value+" > "+l.groupName(file), out, expect, err == nil && len(e.changed) > 0, e.changed...)
}

// during compares facts about the group from before and after an act.
func (l *Look) during(facts []string, act func() error) (effect, error) {
	scope := inspect.Scope{CgroupRoots: l.groupsWith(facts)}
	before, err := inspect.Take(context.Background(), scope)
	if err != nil {
		return effect{}, err
	}
	if err := act(); err != nil {
		return effect{}, err
	}
	after, err := inspect.Take(context.Background(), scope)
	if err != nil {
		return effect{}, err
	}
	e := effect{was: map[string]string{}, is: map[string]string{}}
	for _, o := range after.Objects {
		old := before.Find(o.Kind, o.ID)
		if old == nil {
			continue // made meanwhile
		}
		o.Was = nil
		for _, fact := range facts {
			was, is := old.Detail.Get(fact), o.Detail.Get(fact)
			if was == "" && is == "" {
				continue // v1: another of its groups has that
			}
			if e.was[fact], e.is[fact] = was, is; was != is {
				o.Was = append(o.Was, inspect.Field{Key: fact, Value: was})
			}
		}
		if len(o.Was) > 0 {
			e.changed = append(e.changed, o)
		}
	}
	return e, nil
}

// groupsWith lists the directories of the container's groups that have facts:
// the controller is what their names begin with.
func (l *Look) groupsWith(facts []string) []string {
	var dirs []string
	for _, fact := range facts {
		controller, _, _ := strings.Cut(fact, ".")
		if controller == "cgroup" {
			controller = "freezer"
		}
		if dir := l.group(controller); dir != "" && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}
