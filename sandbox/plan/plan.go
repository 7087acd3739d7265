package plan

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"

	"cutaway/sandbox/features"
	"cutaway/sandbox/op"
	"cutaway/sandbox/sys"
)

// Where says which of the two processes does a step.
type Where string

// The two places a step can run.
const (
	Host Where = "host" // the cutaway process
	Init Where = "init" // the process that becomes the payload
)

// Step is one operation at its place in the order.
type Step struct {
	Op    op.Op
	Where Where
	// Why completes the sentence "now: ...".
	Why string
	// Must is the kind of kernel object (package inspect) that this step has to
	// create, change or remove, "" if there may be nothing to see; May names
	// further kinds it can touch. A change of any other kind is a surprise.
	Must string
	May  []string
}

// Plan is the ordered list of steps that makes a container.
type Plan []Step

// Compile turns a Spec into the Plan for a kernel with these features. It
// returns an error when the Spec contradicts itself, and a *features.Error when
// the kernel lacks what it asks for.
func Compile(s Spec, f features.Features) (Plan, error) {
	if err := s.check(f); err != nil {
		return nil, err
	}
	b := builder{spec: s, features: f, plan: slices.Grow(Birth(s, f), usual)}
	b.directories()   // while init starts up, what outlives its processes is made
	b.controlGroups() // on the host; the journal knows each before it is there
	b.hostNetwork()   //
	b.identity()      // who root is inside, before init makes anything
	b.namespaces()    // one unshare after the other
	b.names()         // host name, clock: settings of the new namespaces
	b.connect()       // links need both the namespace and the host
	b.collect()       // take hold of host files while they can be reached
	b.root()          // the new root, with the old one still there
	b.filesystems()   // proc, sys, dev: the kernel wants to see a full proc first
	b.attach()        // what was collected finds its place
	b.closeRoot()     // the old root goes
	b.volumes()       // no earlier: somebody may be changing what is in them
	b.restrictPaths() //
	b.privileges()    // last, for they were needed until here
	b.payload()
	return b.plan, nil
}

// usual is how many steps the Plan of a whole container has, about: room for them
// is made at once.
const usual = 48

// Birth is how a Plan begins, up to the clone. It follows from the id, the
// namespaces, the network's mode and the control group alone: init can be born
// while the rest of the Spec is being found out.
func Birth(s Spec, f features.Features) Plan {
	b := builder{spec: s, features: f}
	b.surroundings() // what init is born into: a v2 control group, another's network
	b.birth()        // clone: PID and user namespace
	return b.plan
}

// check refuses what no kernel could do.
func (s Spec) check(f features.Features) error {
	if s.ID == "" || len(s.Process.Args) == 0 {
		return errors.New("a container needs an id and a program to run")
	}
	if s.Root.Pivot && !s.Has("mount") {
		return errors.New("pivot_root needs a mount namespace: it would change the root of the whole machine")
	}
	if s.Linux.Proc && !s.Has("mount") {
		return errors.New("a fresh /proc needs a mount namespace")
	}
	if s.Has("user") && len(s.Linux.UIDMappings) == 0 {
		return errors.New("a user namespace needs uidMappings: without them nobody exists in it")
	}
	for _, ns := range s.Linux.Namespaces {
		if err := f.HaveNamespace(procName(ns)); err != nil {
			return err
		}
	}
	for ns := range s.Linux.Joined {
		switch known := func(j joinable) bool { return j.namespace == ns }; {
		case !slices.ContainsFunc(joining, known):
			return fmt.Errorf("a container cannot be born in another's %s namespace", ns)
		case s.Has(ns):
			return fmt.Errorf("a container has either its own %s namespace or another's", ns)
		}
	}
	if s.Has("time") {
		if err := f.HaveTimeNSByExec(); err != nil {
			return err
		}
	}
	if len(s.Root.Lower) > 0 && s.Has("user") {
		if err := f.HaveOverlayInUserNS(); err != nil {
			return err
		}
	}
	return s.checkLimits(f)
}

// checkLimits refuses a limit that nothing here would enforce.
func (s Spec) checkLimits(f features.Features) error {
	if !s.Linux.Cgroup || !f.Root() {
		return nil
	}
	for _, l := range s.Linux.Resources.Files(f.Cgroup.Mode) {
		if err := f.HaveController(l.Controller); err != nil {
			return err
		}
	}
	return nil
}

// procName gives the name under /proc/PID/ns of a namespace type of the OCI spec.
func procName(namespace string) string {
	switch namespace {
	case "mount":
		return "mnt"
	case "network":
		return "net"
	}
	return namespace
}

// builder appends steps; its methods follow the order of Compile.
type builder struct {
	spec     Spec
	features features.Features
	plan     Plan
}

// add appends a step; the first of changes is what must change.
func (b *builder) add(where Where, o op.Op, why string, changes []string) {
	step := Step{Op: o, Where: where, Why: why}
	if len(changes) > 0 {
		step.Must, step.May = changes[0], changes[1:]
	}
	b.plan = append(b.plan, step)
}

func (b *builder) host(o op.Op, why string, changes ...string) { b.add(Host, o, why, changes) }
func (b *builder) init(o op.Op, why string, changes ...string) { b.add(Init, o, why, changes) }

// Fused merges neighbouring unshares into one call, for when nobody watches.
func (p Plan) Fused() Plan {
	fused := make(Plan, 0, len(p))
	for _, step := range p {
		if n := len(fused); n > 0 && fused[n-1].Where == step.Where {
			last, ok1 := fused[n-1].Op.(op.Unshare)
			next, ok2 := step.Op.(op.Unshare)
			if ok1 && ok2 {
				fused[n-1].Op = op.Unshare{Flags: last.Flags | next.Flags}
				fused[n-1].May = append(append(slices.Clone(fused[n-1].May), step.Must), step.May...)
				continue
			}
		}
		fused = append(fused, step)
	}
	return fused
}

// Beyond reports for each step of p whether it is not in the earlier plan: what
// one more feature adds. Both plans follow the same order.
func (p Plan) Beyond(earlier Plan) []bool {
	used, isNew := make([]bool, len(earlier)), make([]bool, len(p))
	for i, step := range p {
		isNew[i] = true
		for j, old := range earlier {
			if !used[j] && old.Where == step.Where && reflect.DeepEqual(ownerless(old.Op), ownerless(step.Op)) {
				used[j], isNew[i] = true, false
				break
			}
		}
	}
	return isNew
}

// ownerless takes the owner off a file or directory: that the same file belongs
// to somebody else, once there is a user namespace, makes no step new.
func ownerless(o op.Op) op.Op {
	switch o := o.(type) {
	case op.File:
		o.UID, o.GID = 0, 0
		return o
	case op.Dir:
		o.UID, o.GID = 0, 0
		return o
	}
	return o
}

// Calls gives, for each step, the calls it is going to make, by running it dry.
func (p Plan) Calls(t op.Target) ([][]sys.Call, error) {
	calls := make([][]sys.Call, len(p))
	for i, step := range p {
		k := sys.Kernel{Dry: true}
		if err := op.Run(step.Op, &k, &t); err != nil {
			return nil, fmt.Errorf("step %d: %w", i+1, err)
		}
		calls[i] = k.Calls()
	}
	return calls, nil
}

// CgroupDirs lists the control groups of the container, one for each hierarchy.
func CgroupDirs(s Spec, f features.Features) []string {
	if !s.Linux.Cgroup || !f.Root() {
		return nil
	}
	var dirs []string
	for _, h := range f.Cgroup.Hierarchies() {
		dirs = append(dirs, filepath.Join(h, "cutaway", s.ID))
	}
	return dirs
}
