// Package script renders a Plan as one script for sh(1), which makes the same
// container with util-linux and iproute2.
//
// Its one invariant: every Step of the Plan is there, in the order of the
// process that does it, as commands with the reason why they come now; what no command can do is said in a
// comment. Read this file, then words.go (an operation as commands) and
// frame.go (what is around them).
package script

import (
	"fmt"
	"strings"

	"cutaway/sandbox/op"
	"cutaway/sandbox/plan"
	"cutaway/sandbox/sys"
)

// writer collects the parts of a script. There are three shells where the
// engine has two processes: the namespaces are made by unshare(1), which
// starts the inner one.
type writer struct {
	host  strings.Builder // this machine's shell, until init is born
	outer strings.Builder // becomes unshare(1): what init does before its namespaces
	inner strings.Builder // inside of them; becomes the payload
	meets strings.Builder // the host's steps while the inner shell waits

	flags   int    // all namespaces, as one unshare
	clocks  string // options of unshare for the time namespace
	user    bool
	waiting bool // the inner shell waits for the host
	met     int  // how often it did
}

// Sh renders a Plan; title says what it makes.
func Sh(title string, p plan.Plan) string {
	var w writer
	for _, step := range p {
		o, isClone := step.Op.(op.Clone)
		switch {
		case isClone:
			w.clone(o, step.Why)
		case step.Where == plan.Init:
			w.inside(step)
		case needsInit(step.Op):
			w.meanwhile(step)
		default:
			w.before(step)
		}
	}
	w.goOn()
	return w.assemble(title)
}

// needsInit reports whether a step of the host's is done to init, which must be
// there for it. The engine does the others while init starts up; a script does
// them first.
func needsInit(o op.Op) bool {
	switch o.(type) {
	case op.IDMap, op.DenySetgroups, op.Veth, op.Address, op.Route:
		return true
	}
	return false
}

// before is a step of the host's. How to undo it is noted first, as the journal
// does it.
func (w *writer) before(step plan.Step) {
	remark(&w.host, step.Why)
	if undo := undoing(step.Op); undo != "" {
		fmt.Fprintf(&w.host, "undo=%s\"$undo\"\n", singleQuoted(undo+"\n"))
	}
	w.host.WriteString(onHost(step.Op) + "\n\n")
}

// clone is where init would be born; for the user namespace somebody has to
// hold it until its maps are written.
func (w *writer) clone(c op.Clone, why string) {
	w.flags |= c.Flags &^ sys.NewUser
	if c.Cgroup != "" {
		fmt.Fprintf(&w.outer, "echo $$ > %s/cgroup.procs\n", c.Cgroup)
	}
	if c.Flags&sys.NewUser == 0 {
		remark(&w.outer, why)
		return
	}
	w.user = true
	remark(&w.host, why+": a process that does nothing but hold it")
	w.host.WriteString(`unshare --user sleep 1000000 &
PID=$!
undo="kill $PID 2> /dev/null
$undo"
while [ "$(readlink /proc/$PID/ns/user)" = "$(readlink /proc/self/ns/user)" ]; do :; done

`)
}

// meanwhile is a step of the host's after init was born. Maps are written for
// the holder of the user namespace; for all else the inner shell waits.
func (w *writer) meanwhile(step plan.Step) {
	switch step.Op.(type) {
	case op.IDMap, op.DenySetgroups:
		remark(&w.host, step.Why)
		w.host.WriteString(step.Op.Shell() + "\n\n")
		return
	}
	if !w.waiting {
		w.waiting = true
		w.met++
		w.inner.WriteString("# the host has something to do\necho waiting > \"$D/ready\"; read -r _ < \"$D/go\"\n\n")
		w.meets.WriteString("read -r word <&5; [ \"$word\" = waiting ]\n")
	}
	remark(&w.meets, step.Why)
	w.meets.WriteString(onHost(step.Op) + "\n\n")
}

// goOn lets the inner shell go on.
func (w *writer) goOn() {
	if w.waiting {
		w.waiting = false
		w.meets.WriteString("echo go > \"$D/go\"\n\n")
	}
}

// inside is a step of init's.
func (w *writer) inside(step plan.Step) {
	w.goOn()
	switch o := step.Op.(type) {
	case op.Unshare:
		w.flags |= o.Flags
		remark(&w.outer, strings.TrimSpace(o.Shell())+": "+step.Why)
	case op.TimeOffsets:
		w.clocks = fmt.Sprintf(" --boottime %d --monotonic %d", o.Boottime, o.Monotonic)
		remark(&w.outer, "the offsets of the clocks: "+step.Why)
	case op.CgroupJoin:
		remark(&w.outer, step.Why)
		w.outer.WriteString(o.Shell() + "\n\n")
	case op.SetUser:
		if o.UID == 0 && w.inner.Len() == 0 {
			remark(&w.outer, "--setuid 0: "+step.Why)
			return
		}
		w.missing(step)
	default:
		text := inContainer(step.Op)
		if text == "" {
			w.missing(step)
			return
		}
		remark(&w.inner, step.Why)
		w.inner.WriteString(text + "\n\n")
	}
}

// missing says that a step is left out.
func (w *writer) missing(step plan.Step) {
	by := "no command of a shell can say it"
	if s := step.Op.Shell(); s != "" {
		by = "the image has no program for it; elsewhere: " + s
	}
	if _, collects := step.Op.(op.OpenTree); collects {
		by = "not needed here, as the old root stays reachable as /.old"
	}
	remark(&w.inner, "NOT DONE: "+step.Op.Name()+": "+by)
	w.inner.WriteString("\n")
}
