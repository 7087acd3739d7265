package op

import (
	"fmt"

	"cutaway/sandbox/sys"
)

// SetUser changes init's groups, group and user, in this order: once the user
// is not 0 the right to change the groups is gone. credentials(7).
type SetUser struct {
	UID    int   `json:"uid"`
	GID    int   `json:"gid"`
	Groups []int `json:"groups"`
	// NoGroups leaves the supplementary groups alone: where setgroups is denied.
	NoGroups bool `json:"noGroups,omitempty"`
	// KeepCaps keeps the permitted capabilities across the change, for Capset to
	// settle what remains.
	KeepCaps bool `json:"keepCaps,omitempty"`
}

// Name implements Op.
func (SetUser) Name() string { return "setuid" }

// Do implements Op.
func (o SetUser) Do(k *sys.Kernel, _ *Target) error {
	if o.KeepCaps {
		if err := k.KeepCaps(); err != nil {
			return at(err, "keep capabilities")
		}
	}
	if !o.NoGroups {
		if err := k.Setgroups(o.Groups); err != nil {
			return at(err, "set supplementary groups %v", o.Groups)
		}
	}
	if err := k.Setresgid(o.GID); err != nil {
		return at(err, "become group %d", o.GID)
	}
	return at(k.Setresuid(o.UID), "become user %d", o.UID)
}

// Shell implements Op.
func (o SetUser) Shell() string {
	return fmt.Sprintf("setpriv --reuid=%d --regid=%d --clear-groups", o.UID, o.GID)
}
