// Package plan says what a container is (Spec) and which steps make it (Plan).
//
// Its one invariant: Compile is pure. The same Spec and the same detected
// features give the same Plan, on the host and in init, which is how both know
// what "step 7" is. Nothing here makes a system call. Read spec.go, then
// plan.go from top to bottom: it is the order in which a container comes to be.
package plan

import (
	"maps"
	"slices"

	"cutaway/sandbox/op"
)

// Spec is a container as plain data. Field names are those of the OCI
// runtime-spec (config.md, config-linux.md) wherever it has the notion.
type Spec struct {
	ID         string  `json:"id"`
	Hostname   string  `json:"hostname,omitempty"`
	Domainname string  `json:"domainname,omitempty"`
	Root       Root    `json:"root"`
	Process    Process `json:"process"`
	Mounts     []Mount `json:"mounts,omitempty"` // volumes, beside the lab's own
	Linux      Linux   `json:"linux"`
	Net        Net     `json:"net"`
	// State is where the lab keeps this container's files on the host.
	State string `json:"state"`
}

// Root is the container's root filesystem. An empty Path leaves the host's.
type Root struct {
	Path     string `json:"path,omitempty"` // on the host
	Readonly bool   `json:"readonly,omitempty"`
	// Pivot makes Path the root of a mount namespace; without it init is only
	// moved there by chroot.
	Pivot bool `json:"pivot,omitempty"`
	// From is a tree to copy to Path, when the root is no overlay.
	From string `json:"from,omitempty"`
	// Lower, topmost first, makes the root an overlay of these layers.
	Lower []string `json:"lower,omitempty"`
}

// Process is what runs inside.
type Process struct {
	Args            []string `json:"args"`
	Env             []string `json:"env,omitempty"`
	Cwd             string   `json:"cwd,omitempty"`
	User            User     `json:"user"`
	Terminal        bool     `json:"terminal,omitempty"` // on the container's own devpts
	NoNewPrivileges bool     `json:"noNewPrivileges,omitempty"`
	// Capabilities are the names that remain; nil leaves all of them.
	Capabilities []string `json:"capabilities,omitempty"`
	Rlimits      []Rlimit `json:"rlimits,omitempty"`
	// NewKeyring gives it a session keyring of its own.
	NewKeyring bool `json:"newKeyring,omitempty"`
	// Restrict is set once capabilities are meant to be limited, so that an
	// empty list means none rather than all.
	Restrict bool `json:"restrict,omitempty"`
}

// User is who the payload runs as, in ids of the container.
type User struct {
	UID            int   `json:"uid"`
	GID            int   `json:"gid"`
	AdditionalGids []int `json:"additionalGids,omitempty"`
}

// Rlimit is a resource limit: getrlimit(2).
type Rlimit struct {
	Type string `json:"type"` // RLIMIT_NOFILE
	Soft uint64 `json:"soft"`
	Hard uint64 `json:"hard"`
}

// Mount is a volume: a file or directory of the host, or a tmpfs.
type Mount struct {
	Destination string `json:"destination"`
	Type        string `json:"type"` // bind or tmpfs
	Source      string `json:"source,omitempty"`
	Readonly    bool   `json:"readonly,omitempty"`
	File        bool   `json:"file,omitempty"` // the source is not a directory
	Data        string `json:"data,omitempty"` // options of the tmpfs
}

// Linux is what only Linux has.
type Linux struct {
	Namespaces []string `json:"namespaces,omitempty"` // types: mount uts pid ipc network user cgroup time
	// Joined are namespaces of others that the container is born in, by type, as
	// paths like /proc/PID/ns/ipc: what linux.namespaces[].path is in the OCI
	// spec. Of network, ipc and uts only: the others a thread of a program with
	// several cannot join, or only for its children (setns(2)).
	Joined        map[string]string  `json:"joined,omitempty"`
	UIDMappings   []op.IDMapping     `json:"uidMappings,omitempty"`
	GIDMappings   []op.IDMapping     `json:"gidMappings,omitempty"`
	Cgroup        bool               `json:"cgroup,omitempty"` // a control group cutaway/ID of its own
	Resources     Resources          `json:"resources"`
	TimeOffset    int64              `json:"timeOffset,omitempty"` // seconds the container's uptime runs ahead
	Devices       bool               `json:"devices,omitempty"`    // an own /dev, /sys and the default device nodes
	Proc          bool               `json:"proc,omitempty"`       // a fresh /proc
	Mqueue        bool               `json:"mqueue,omitempty"`     // /dev/mqueue
	MaskedPaths   []string           `json:"maskedPaths,omitempty"`
	ReadonlyPaths []string           `json:"readonlyPaths,omitempty"`
	Seccomp       *op.SeccompProfile `json:"seccomp,omitempty"`
}

// Resources are the limits of the control group, under the names of their v2
// files: cgroup-v2.rst in the kernel's documentation. Zero or "" is no limit.
type Resources struct {
	MemoryMax  int64  `json:"memory.max,omitempty"`  // bytes
	MemoryHigh int64  `json:"memory.high,omitempty"` // bytes
	CPUMax     string `json:"cpu.max,omitempty"`     // "quota period" in microseconds
	CPUWeight  int64  `json:"cpu.weight,omitempty"`  // 1 to 10000, 100 is ordinary
	PidsMax    int64  `json:"pids.max,omitempty"`
	// IOMax has at most one entry for a disk.
	IOMax []IOMax `json:"io.max,omitempty"`
}

// IOMax bounds the traffic with one disk, in bytes and in operations a second;
// zero is no limit.
type IOMax struct {
	Device    string `json:"device"` // major:minor; the kernel refuses a partition
	ReadBPS   int64  `json:"rbps,omitempty"`
	WriteBPS  int64  `json:"wbps,omitempty"`
	ReadIOPS  int64  `json:"riops,omitempty"`
	WriteIOPS int64  `json:"wiops,omitempty"`
}

// Net is how the container is connected.
type Net struct {
	Mode    string    `json:"mode,omitempty"` // none, bridge, host or container (Joined says which); "" leaves the host's
	Bridge  string    `json:"bridge,omitempty"`
	Gateway string    `json:"gateway,omitempty"` // address of the bridge, with prefix length
	Address string    `json:"address,omitempty"` // of the container, with prefix length
	Ports   []op.Port `json:"ports,omitempty"`
	Shared  string    `json:"shared,omitempty"` // directory of the host for settings to restore
	// Resolv, Hosts are the texts of /etc/resolv.conf and /etc/hosts.
	Resolv string `json:"resolv,omitempty"`
	Hosts  string `json:"hosts,omitempty"`
}

// Has reports whether the container has a namespace of its own of this type.
func (s Spec) Has(namespace string) bool { return slices.Contains(s.Linux.Namespaces, namespace) }

// Add gives the container a namespace of this type.
func (s *Spec) Add(namespace string) {
	if !s.Has(namespace) {
		s.Linux.Namespaces = append(s.Linux.Namespaces, namespace)
	}
}

// Drop takes a namespace away again.
func (s *Spec) Drop(namespace string) {
	s.Linux.Namespaces = slices.DeleteFunc(s.Linux.Namespaces, func(n string) bool { return n == namespace })
}

// Join has the container be born in somebody else's namespace of this type.
func (s *Spec) Join(namespace, path string) {
	s.Drop(namespace)
	joined := maps.Clone(s.Linux.Joined) // a copied Spec keeps its own
	if joined == nil {
		joined = map[string]string{}
	}
	joined[namespace] = path
	s.Linux.Joined = joined
}

// RootUID is what uid 0 of the container is on the host.
func (s Spec) RootUID() int { return hostID(s.Linux.UIDMappings) }

// RootGID is what gid 0 of the container is on the host.
func (s Spec) RootGID() int { return hostID(s.Linux.GIDMappings) }

func hostID(mappings []op.IDMapping) int {
	for _, m := range mappings {
		if m.ContainerID == 0 {
			return m.HostID
		}
	}
	return 0
}
