// Package inspect reads kernel objects back from the kernel: from /proc, the
// cgroup file systems, rtnetlink, nf_tables and the System V tables.
//
// Its one invariant: nothing in a Snapshot was put there by the code that made
// the container. What the lab says happened comes from comparing two
// Snapshots, never from what it meant to do.
//
// Read object.go for the vocabulary, snapshot.go for how a Snapshot is taken,
// diff.go for how two are compared, then the file of the kind you care about.
package inspect

import (
	"bytes"
	"encoding/json"
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
