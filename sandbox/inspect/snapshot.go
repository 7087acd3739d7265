package inspect

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// Scope says what a Snapshot looks at.
type Scope struct {
	// Host includes what the lab may touch on the host: the namespaces of the
	// reader and what is in them (mount table, links, addresses, routes,
	// nf_tables, System V and POSIX IPC), the control groups named cutaway,
	// the sysctls the lab may change, and /run/cutaway.
	Host bool
	// PIDs are roots of process trees: these processes and all their
	// descendants, with what is inside those of their namespaces that are not
	// the reader's own.
	PIDs []int
	// CgroupRoots are absolute directories of control groups, read recursively.
	CgroupRoots []string
	// StateDirs are directories whose children are objects too.
	StateDirs []string
}

// Snapshot holds the objects read at one moment, in the order of Kinds and
// within a Kind in the order in which the kernel lists them.
type Snapshot struct {
	Taken   time.Time `json:"taken"`
	Objects []Object  `json:"objects"`
	// Gaps says what could not be read and why, one sentence each. A process
	// that ended meanwhile leaves no gap, only a missing object.
	Gaps []string `json:"gaps,omitempty"`
}

// Find returns the object with that identity, or nil.
func (s *Snapshot) Find(kind Kind, id string) *Object {
	for i := range s.Objects {
		if s.Objects[i].Kind == kind && s.Objects[i].ID == id {
			return &s.Objects[i]
		}
	}
	return nil
}

// Of returns all objects of one kind.
func (s *Snapshot) Of(kind Kind) []Object {
	var found []Object
	for _, o := range s.Objects {
		if o.Kind == kind {
			found = append(found, o)
		}
	}
	return found
}

// Take reads the objects in scope. It fails only when /proc cannot be read or
// ctx ends; a process that vanishes half-way is left out, and what may not be
// read is named in Gaps.
//
// A Snapshot is not atomic: the kernel offers no such thing. Between two steps
// of the lab nothing else changes the objects in scope, which is enough.
func Take(ctx context.Context, scope Scope) (*Snapshot, error) {
	s, err := newSurvey(ctx)
	if err != nil {
		return nil, err
	}
	var places []place
	for _, pid := range s.machine.trees(scope.PIDs) {
		places = append(places, s.placeOf(pid))
	}
	if scope.Host {
		s.host()
	}
	for _, p := range places {
		s.process(p)
		s.look(p, false)
		s.namespaces(p)
	}
	// Last, what no process in scope is in.
	for _, p := range places {
		s.forChildren(p)
	}
	s.pinned()
	for _, root := range scope.CgroupRoots {
		s.cgroupTree(root)
	}
	for _, dir := range scope.StateDirs {
		s.stateDir(dir)
	}
	return s.finish()
}

// OfProcess reads everything about one process, whoever started it: also what
// is inside the namespaces that it shares with the reader, and its control
// groups.
func OfProcess(pid int) (*Snapshot, error) {
	s, err := newSurvey(context.Background())
	if err != nil {
		return nil, err
	}
	if _, ok := s.machine.parent[pid]; !ok {
		return nil, fmt.Errorf("inspect process %d: %w: no such process", pid, syscall.ESRCH)
	}
	p := s.placeOf(pid)
	s.process(p)
	s.look(p, true)
	s.namespaces(p)
	s.forChildren(p)
	s.cgroupsOf(p)
	return s.finish()
}

// survey is a Snapshot being taken.
type survey struct {
	ctx     context.Context
	snap    *Snapshot
	have    map[Kind]map[string]bool // IDs added, because namespaces are shared
	looked  map[string]bool          // namespaces whose contents were read
	machine machine                  // every process there is
	self    place                    // the reader
	nets    map[string]string        // network namespace -> a file that names it
	names   map[string][2]string     // UTS namespace -> nodename, domainname
	pins    map[string]string        // namespace -> the file it is bound to
	tables  map[string][]mountEntry  // mount namespace -> its mounts
}

// place is a process seen as the way into its namespaces.
type place struct {
	pid  int
	proc string          // "/proc/1234"
	ns   map[Kind]string // "uts:[4026532301]"; a zombie has only user and pid
}

func newSurvey(ctx context.Context) (*survey, error) {
	m, err := readMachine()
	if err != nil {
		return nil, err
	}
	s := &survey{
		ctx:     ctx,
		snap:    &Snapshot{Taken: time.Now(), Objects: []Object{}},
		have:    map[Kind]map[string]bool{},
		looked:  map[string]bool{},
		machine: m,
		nets:    map[string]string{},
		names:   map[string][2]string{},
		pins:    map[string]string{},
		tables:  map[string][]mountEntry{},
	}
	s.self = place{proc: "/proc/self", ns: readNamespaces("/proc/self")}
	s.nets[s.self.ns[Net]] = "/proc/self/ns/net"
	return s, nil
}

// placeOf reads which namespaces pid is in, before any object is read, so that
// a link's peer can be named whichever end is read first.
func (s *survey) placeOf(pid int) place {
	p := place{pid: pid, proc: "/proc/" + strconv.Itoa(pid)}
	p.ns = readNamespaces(p.proc)
	if net := p.ns[Net]; net != "" && s.nets[net] == "" {
		s.nets[net] = p.proc + "/ns/net"
	}
	return p
}

// host reads what Scope.Host promises.
func (s *survey) host() {
	s.findPins()
	s.look(s.self, true)
	s.namespaces(s.self)
	s.hostCgroups()
	s.stateDir("/run/cutaway")
}

// finish puts the objects in order.
func (s *survey) finish() (*Snapshot, error) {
	if err := s.ctx.Err(); err != nil {
		return nil, fmt.Errorf("take snapshot: %w", err)
	}
	slices.SortStableFunc(s.snap.Objects, func(a, b Object) int {
		return slices.Index(Kinds, a.Kind) - slices.Index(Kinds, b.Kind)
	})
	return s.snap, nil
}

// add keeps o unless an object of that identity is there already, which is how
// a namespace that several processes share becomes one object.
func (s *survey) add(o Object) {
	ids := s.have[o.Kind]
	if ids == nil {
		ids = map[string]bool{}
		s.have[o.Kind] = ids
	}
	if !ids[o.ID] {
		ids[o.ID] = true
		s.snap.Objects = append(s.snap.Objects, o)
	}
}

// gap records that what could not be read. That something is gone, or was
// never there, is not a gap.
func (s *survey) gap(what string, err error) {
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return
	}
	sentence := what + ": " + err.Error()
	if !slices.Contains(s.snap.Gaps, sentence) {
		s.snap.Gaps = append(s.snap.Gaps, sentence)
	}
}

// children lists the names in a directory, sorted; none when it does not exist.
func (s *survey) children(dir string) []fs.DirEntry {
	entries, err := readDir(dir)
	s.gap("list "+filepath.Clean(dir), err)
	return entries
}
