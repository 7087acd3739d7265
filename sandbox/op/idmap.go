package op

import (
	"strconv"
	"strings"

	"cutaway/sandbox/sys"
)

// IDMapping maps a run of ids inside a user namespace to ids outside; field
// names as in the OCI runtime-spec, config-linux.md.
type IDMapping struct {
	ContainerID int `json:"containerID"`
	HostID      int `json:"hostID"`
	Size        int `json:"size"`
}

// IDMap writes a map of init's user namespace; each map can be written only
// once: user_namespaces(7).
type IDMap struct {
	File     string      `json:"file"` // uid_map or gid_map
	Mappings []IDMapping `json:"mappings"`
}

// Name implements Op.
func (o IDMap) Name() string { return o.File }

// Do implements Op.
func (o IDMap) Do(k *sys.Kernel, t *Target) error {
	return at(k.Write(t.Proc(o.File), o.text()), "write %s", t.Proc(o.File))
}

// Shell implements Op.
func (o IDMap) Shell() string {
	return "echo " + quote(strings.TrimSpace(o.text())) + " > /proc/$PID/" + o.File
}

func (o IDMap) text() string {
	var b strings.Builder
	for _, m := range o.Mappings {
		b.WriteString(strconv.Itoa(m.ContainerID) + " " + strconv.Itoa(m.HostID) + " " + strconv.Itoa(m.Size) + "\n")
	}
	return b.String()
}

// DenySetgroups takes setgroups(2) away from a user namespace for good. An
// unprivileged process must do so before it may write a gid_map, or it could
// drop a group that denies it a file: user_namespaces(7), since Linux 3.19.
type DenySetgroups struct{}

// Name implements Op.
func (DenySetgroups) Name() string { return "setgroups" }

// Do implements Op.
func (DenySetgroups) Do(k *sys.Kernel, t *Target) error {
	return at(k.Write(t.Proc("setgroups"), "deny"), "write %s", t.Proc("setgroups"))
}

// Shell implements Op.
func (DenySetgroups) Shell() string { return "echo deny > /proc/$PID/setgroups" }

// itoa writes a number of seconds or bytes.
func itoa(n int64) string { return strconv.FormatInt(n, 10) }
