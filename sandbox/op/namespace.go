package op

import (
	"strings"

	"cutaway/sandbox/sys"
)

// Clone starts init, with the namespaces that cannot be entered later: a PID
// namespace takes in only children, and unshare(CLONE_NEWUSER) is refused to a
// process with several threads, as every Go program is. clone(2).
type Clone struct {
	Flags int `json:"flags"`
	// Cgroup is the v2 control group init is born into, "" for the host's own.
	Cgroup string `json:"cgroup,omitempty"`
}

// Name implements Op.
func (Clone) Name() string { return "clone" }

// Do implements Op.
func (o Clone) Do(k *sys.Kernel, t *Target) (err error) {
	t.PID, t.PidFD, err = k.Clone(o.Flags, o.Cgroup, t.Launch)
	return at(err, "start init")
}

// Shell implements Op.
func (o Clone) Shell() string {
	if o.Flags == 0 {
		return "sh -c '...' &"
	}
	return "unshare" + unshareFlags(o.Flags) + " --fork sh -c '...' &"
}

// Unshare moves init into new namespaces: unshare(2).
type Unshare struct {
	Flags int `json:"flags"`
}

// Name implements Op.
func (Unshare) Name() string { return "unshare" }

// Do implements Op.
func (o Unshare) Do(k *sys.Kernel, _ *Target) error {
	return at(k.Unshare(o.Flags), "unshare %s", sys.CloneFlags(uint64(o.Flags)))
}

// Shell implements Op.
func (o Unshare) Shell() string { return "unshare" + unshareFlags(o.Flags) }

// Setns moves init into a namespace that exists already: setns(2).
type Setns struct {
	Path string `json:"path"`
	Flag int    `json:"flag"`
}

// Name implements Op.
func (Setns) Name() string { return "setns" }

// Do implements Op.
func (o Setns) Do(k *sys.Kernel, _ *Target) error {
	return at(k.Setns(o.Path, o.Flag), "join namespace %s", o.Path)
}

// Shell implements Op.
func (o Setns) Shell() string {
	return "nsenter" + strings.TrimSpace(unshareFlags(o.Flag)) + "=" + quote(o.Path)
}

// unshareFlags gives the options of unshare(1) for clone flags.
func unshareFlags(flags int) string {
	var b strings.Builder
	for _, f := range []struct {
		bit  int
		name string
	}{
		{sys.NewUser, "user"}, {sys.NewPID, "pid"}, {sys.NewNS, "mount"}, {sys.NewUTS, "uts"},
		{sys.NewIPC, "ipc"}, {sys.NewNet, "net"}, {sys.NewCgroup, "cgroup"}, {sys.NewTime, "time"},
	} {
		if flags&f.bit != 0 {
			b.WriteString(" --" + f.name)
		}
	}
	return b.String()
}

// TimeOffsets sets how far the clocks of the time namespace, unshared but not
// yet entered, run ahead of the host's: time_namespaces(7).
type TimeOffsets struct {
	Boottime  int64 `json:"boottime"`  // seconds
	Monotonic int64 `json:"monotonic"` // seconds
}

// Name implements Op.
func (TimeOffsets) Name() string { return "timens_offsets" }

// Do implements Op.
func (o TimeOffsets) Do(k *sys.Kernel, _ *Target) error {
	const path = "/proc/self/timens_offsets"
	return at(k.Write(path, o.text()), "write %s", path)
}

// Shell implements Op.
func (o TimeOffsets) Shell() string {
	return "printf " + quote(strings.ReplaceAll(o.text(), "\n", `\n`)) + " > /proc/self/timens_offsets"
}

func (o TimeOffsets) text() string {
	return "boottime " + itoa(o.Boottime) + " 0\nmonotonic " + itoa(o.Monotonic) + " 0\n"
}
