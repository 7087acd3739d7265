package sandbox

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"cutaway/sandbox/op"
	"cutaway/sandbox/pid1"
	"cutaway/sandbox/plan"
)

// register gives the container an id and, on the bridge, an address nobody else
// has, and begins its journal.
func (l *Lab) register(spec plan.Spec, o Options) (*Container, error) {
	if spec.ID == "" {
		spec.ID = newID()
	}
	l.place(&spec)
	for i := range o.Stdio {
		if o.Stdio[i] == nil {
			return nil, fmt.Errorf("start container %s: standard descriptor %d is missing", spec.ID, i)
		}
	}
	c := &Container{lab: l, opts: o}
	err := l.Locked(func() (err error) {
		if o.Stage == "" { // two people may well play the same stage
			if err := l.nameFree(o.Name); err != nil {
				return err
			}
		}
		if spec.Net.Mode == "bridge" {
			if err := l.plugIn(&spec); err != nil {
				return err
			}
		}
		c.Spec = spec
		c.journal, err = newJournal(l.Dirs, Record{Version: journalVersion, ID: spec.ID, Name: o.Name, Image: o.Image,
			Host: os.Getpid(), Started: time.Now().UTC(), State: spec.State, Cgroup: spec.Linux.Cgroup, Net: spec.Net, Args: spec.Process.Args})
		return err
	})
	if err != nil {
		return nil, err
	}
	if !o.Locked || len(spec.Linux.Joined) > 0 { // for those it goes elsewhere and comes back
		c.thread = newThread()
	}
	return c, nil
}

// nameFree refuses a name that a live container has: the two could not be told
// apart by it.
func (l *Lab) nameFree(name string) error {
	if name == "" {
		return nil
	}
	records, err := l.Records()
	for _, r := range records {
		if r.Live && (r.Name == name || r.ID == name) {
			return fmt.Errorf("name a container %s: container %s is called that", name, r.ID)
		}
	}
	return err
}

// place fills in what follows from the container's id.
func (l *Lab) place(spec *plan.Spec) {
	spec.State = l.Dirs.Container(spec.ID)
	if spec.Root.Path == "" && (spec.Root.From != "" || len(spec.Root.Lower) > 0) {
		spec.Root.Path = filepath.Join(spec.State, "rootfs")
	}
	if !spec.Has("pid") {
		spec.Process.Env = append(slices.Clip(spec.Process.Env), pid1.IDVariable+"="+spec.ID)
	}
}

// Like gives spec the id and the address of another container, so that their
// Plans differ only where the containers do. With no other it takes the example
// ID, for a Plan that is only shown.
func (l *Lab) Like(spec plan.Spec, other *plan.Spec) plan.Spec {
	if other == nil {
		gateway := networks[0]
		address := gateway.Addr().Next()
		other = &plan.Spec{ID: "ID", Hostname: spec.Hostname, Net: plan.Net{Bridge: bridgeName, Gateway: gateway.String(),
			Address: netip.PrefixFrom(address, gateway.Bits()).String(), Shared: l.Dirs.Run, Ports: samePorts(spec.Net.Ports),
			Hosts: hostsFile(address.String(), spec.Hostname), Resolv: "# as on the host\n"}}
	}
	spec.ID = other.ID
	l.place(&spec)
	if spec.Net.Mode == "bridge" {
		ports := spec.Net.Ports
		spec.Net = other.Net
		spec.Net.Mode = "bridge"
		if len(ports) != len(other.Net.Ports) {
			spec.Net.Ports = ports
		}
	}
	return spec
}

// newID gives six random hexadecimal digits: short enough for a link's name.
func newID() string { return fmt.Sprintf("%06x", rand.N(1<<24)) }

// plugIn fills in the bridge and picks an address that no live container has.
func (l *Lab) plugIn(spec *plan.Spec) error {
	records, err := l.Records()
	if err != nil {
		return err
	}
	gateway, err := l.network(records)
	if err != nil {
		return err
	}
	free := gateway.Addr().Next()
	for slices.ContainsFunc(records, func(r Record) bool { return r.Net.Address == netip.PrefixFrom(free, gateway.Bits()).String() }) {
		free = free.Next()
	}
	if !gateway.Contains(free.Next()) { // the last address is the broadcast's
		return fmt.Errorf("no free address in %s: %d containers live", gateway.Masked(), len(records))
	}
	n := &spec.Net
	n.Bridge, n.Gateway, n.Address = bridgeName, gateway.String(), netip.PrefixFrom(free, gateway.Bits()).String()
	n.Shared = l.Dirs.Run
	if n.Ports, err = freePorts(n.Ports, records); err != nil {
		return err
	}
	n.Hosts = hostsFile(free.String(), spec.Hostname)
	n.Resolv, err = resolvConf("/")
	return err
}

func hostsFile(address, hostname string) string {
	text := "127.0.0.1 localhost\n::1 localhost\n"
	if hostname != "" {
		text += address + " " + hostname + "\n"
	}
	return text
}

// Records lists the containers that have a journal, oldest first.
func (l *Lab) Records() ([]Record, error) {
	paths, err := l.Dirs.journals()
	if err != nil {
		return nil, err
	}
	var records []Record
	for _, path := range paths {
		r, _, _, err := readJournal(path)
		if errors.Is(err, os.ErrNotExist) {
			continue // its run ended just now
		}
		if err != nil {
			return nil, err
		}
		r.Live = !abandoned(path)
		records = append(records, r)
	}
	slices.SortFunc(records, func(a, b Record) int { return a.Started.Compare(b.Started) })
	return records, nil
}

// others gives the records of the live containers but id. One whose journal
// cannot be read is taken to use all there is.
func (l *Lab) others(id string) ([]Record, error) {
	paths, err := l.Dirs.journals()
	var records []Record
	for _, path := range paths {
		if path == l.Dirs.Journal(id) || abandoned(path) {
			continue
		}
		r, _, _, err := readJournal(path)
		if errors.Is(err, os.ErrNotExist) {
			continue // its run ended just now
		}
		if err != nil {
			r.Cgroup, r.Net.Mode = true, "bridge"
		}
		records = append(records, r)
	}
	return records, err
}

// inUse reports whether one of these containers uses what o has made, and will
// undo it in its turn: it has it in its own journal.
func inUse(o op.Undoer, by []Record) bool {
	if s, ok := o.(op.Shared); !ok || !s.IsShared() {
		return false
	}
	return slices.ContainsFunc(by, func(r Record) bool {
		switch o.(type) {
		case op.CgroupCreate, op.CgroupEnable:
			return r.Cgroup
		}
		return r.Net.Mode == "bridge"
	})
}

// Find gives the record of a container by its id, an unambiguous beginning of
// it, or its name.
func (l *Lab) Find(id string) (Record, error) {
	records, err := l.Records()
	if err != nil {
		return Record{}, err
	}
	var found []Record
	for _, r := range records {
		if id == "" { // a variable of somebody's script that is not set
			break
		}
		if r.ID == id || r.Name == id {
			return r, nil
		}
		if strings.HasPrefix(r.ID, id) {
			found = append(found, r)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	return Record{}, fmt.Errorf("find container %q: %d of %d match", id, len(found), len(records))
}
