// Package inspect reads kernel objects back from the kernel: from /proc, the
// cgroup file systems, rtnetlink, nf_tables and the System V tables.
//
// Its one invariant: nothing in a Snapshot was put there by the code that made
// the container. What the lab says happened comes from comparing two
// Snapshots, never from what it meant to do.
//
//	before, err := inspect.Take(ctx, inspect.Scope{Host: true, PIDs: []int{pid}})
//	...                                   // one step of building a container
//	after, err := inspect.Take(ctx, ...)
//	diff := inspect.Compare(before, after) // what that step created, changed, removed
//
// An Object is a Kind, the kernel's own identity for it, where the facts were
// read, and the facts in order. Some facts are Volatile: usage counters,
// process states. They are shown, but two Snapshots that differ in them alone
// are equal, so looking twice at an idle machine finds no change.
//
// Read object.go for the vocabulary, snapshot.go for how a Snapshot is taken,
// diff.go for how two are compared, then the file of the kind you care about:
//
//	namespace.go  which namespaces, who owns them, who is in them
//	process.go    pid in each PID namespace, root, credentials
//	caps.go seccomp.go rlimits.go idmap.go    what a process may do, and as whom
//	mount.go overlay.go device.go             its file systems and /dev
//	link.go nft.go                            its network
//	ipc.go cgroup.go sysctl.go                System V and POSIX IPC, limits, knobs
//	dir.go                                    what the lab keeps on disk
//	pair.go                                   two processes side by side
package inspect

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Kind names a sort of kernel object. Namespaces use the name of their
// /proc/PID/ns entry (namespaces(7)), with one exception: the cgroup namespace
// is "cgroupns", because "cgroup" is the control group itself.
type Kind string

// The kinds of object a Snapshot can hold.
const (
	Mnt      Kind = "mnt"      // mount namespace
	UTS      Kind = "uts"      // UTS namespace
	PID      Kind = "pid"      // PID namespace
	IPC      Kind = "ipc"      // IPC namespace
	Net      Kind = "net"      // network namespace
	User     Kind = "user"     // user namespace
	CgroupNS Kind = "cgroupns" // cgroup namespace
	Time     Kind = "time"     // time namespace

	Process Kind = "process" // a task group: pid in each PID namespace, root, credentials
	Caps    Kind = "caps"    // the five capability sets of a process
	Seccomp Kind = "seccomp" // seccomp mode, filter count and no_new_privs of a process
	Rlimits Kind = "rlimits" // resource limits of a process
	IDMap   Kind = "idmap"   // uid_map, gid_map and setgroups of a user namespace
	Mount   Kind = "mount"   // one line of mountinfo
	Overlay Kind = "overlay" // layers of an overlayfs mount
	Cgroup  Kind = "cgroup"  // a control group: controllers, limits, usage, events
	Link    Kind = "link"    // a network interface
	Addr    Kind = "addr"    // an address on a link
	Route   Kind = "route"   // a route
	Nft     Kind = "nft"     // an nf_tables table, chain or rule
	Shm     Kind = "shm"     // System V shared memory segment
	Sem     Kind = "sem"     // System V semaphore set
	Msg     Kind = "msg"     // System V message queue
	Mqueue  Kind = "mqueue"  // POSIX message queue
	Device  Kind = "device"  // a device node in the container's /dev
	Sysctl  Kind = "sysctl"  // a kernel parameter the lab may change
	Dir     Kind = "dir"     // a directory the lab keeps on the host
	Blob    Kind = "blob"    // a blob of an OCI image: digest, size, media type
)

// Kinds lists every Kind in the order in which Snapshots and Diffs list their
// objects: namespaces, then processes and what they may do, then the rest.
var Kinds = []Kind{
	User, Mnt, UTS, PID, IPC, Net, CgroupNS, Time,
	Process, Caps, Seccomp, Rlimits, IDMap,
	Mount, Overlay, Device, Cgroup,
	Link, Addr, Route, Nft,
	Shm, Sem, Msg, Mqueue,
	Sysctl, Dir, Blob,
}

// Field is one named fact about an Object.
type Field struct {
	Key, Value string
	// Volatile facts (usage counters, process counts) are shown but do not by
	// themselves make an Object count as changed.
	Volatile bool
}

// Detail is an ordered list of facts; it marshals as a JSON object with its
// keys in that order.
type Detail []Field

// Get returns the value of key, or "".
func (d Detail) Get(key string) string {
	for _, f := range d {
		if f.Key == key {
			return f.Value
		}
	}
	return ""
}

// with returns d with one more lasting fact, or unchanged when value is "".
func (d Detail) with(key, value string) Detail {
	if value == "" {
		return d
	}
	return append(d, Field{Key: key, Value: value})
}

// withVolatile is with for a fact that changes by itself.
func (d Detail) withVolatile(key, value string) Detail {
	if value == "" {
		return d
	}
	return append(d, Field{Key: key, Value: value, Volatile: true})
}

// MarshalJSON writes {"key":"value",...} in the order of the fields.
func (d Detail) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range d {
		if i > 0 {
			b.WriteByte(',')
		}
		k, err := json.Marshal(f.Key)
		if err != nil {
			return nil, err
		}
		v, err := json.Marshal(f.Value)
		if err != nil {
			return nil, err
		}
		b.Write(k)
		b.WriteByte(':')
		b.Write(v)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads what MarshalJSON wrote. Which facts were Volatile is not
// part of the JSON form.
func (d *Detail) UnmarshalJSON(text []byte) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("decode detail: not a JSON object: %s", text)
	}
	*d = nil
	for dec.More() {
		var f Field
		key, err := dec.Token()
		if err != nil {
			return fmt.Errorf("decode detail: %w", err)
		}
		f.Key, _ = key.(string) // in an object a key is always a string
		if err := dec.Decode(&f.Value); err != nil {
			return fmt.Errorf("decode detail %q: %w", f.Key, err)
		}
		*d = append(*d, f)
	}
	return nil
}

// Object is one kernel object as read back from the kernel.
type Object struct {
	Kind Kind `json:"kind"`
	// ID is the kernel's own identity for the object, unique within its Kind:
	// "uts:[4026532301]", "mount 512", "1234", "cutaway/ab12cd".
	ID string `json:"id"`
	// Where is the file, socket or call the facts were read from.
	Where  string `json:"where"`
	Detail Detail `json:"detail"`
	// Was holds, for a changed Object, the earlier values of the fields that
	// changed (and nothing else).
	Was Detail `json:"was,omitempty"`
}
