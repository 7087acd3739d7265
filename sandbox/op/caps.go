package op

import (
	"strings"

	"cutaway/sandbox/sys"
)

// DropBounding removes from the bounding set every capability not in Keep: no
// execve can bring them back. capabilities(7).
type DropBounding struct {
	Keep []string `json:"keep"`
	Last int      `json:"last"` // highest capability number of this kernel
}

// Name implements Op.
func (DropBounding) Name() string { return "drop_bounding" }

// Do implements Op.
func (o DropBounding) Do(k *sys.Kernel, _ *Target) error {
	keep := capSet(o.Keep)
	for n := range o.Last + 1 {
		if keep&(1<<n) != 0 {
			continue
		}
		if err := k.DropBounding(n); err != nil {
			return at(err, "drop %s from the bounding set", sys.CapName(n))
		}
	}
	return nil
}

// Shell implements Op.
func (o DropBounding) Shell() string { return "setpriv --bounding-set=" + capList(o.Keep) }

// Capset settles the remaining sets: effective and permitted as given,
// inheritable and ambient empty, so that a program gets none it was not given.
type Capset struct {
	Caps []string `json:"caps"`
}

// Name implements Op.
func (Capset) Name() string { return "capset" }

// Do implements Op.
func (o Capset) Do(k *sys.Kernel, _ *Target) error {
	if err := k.ClearAmbient(); err != nil {
		return at(err, "clear the ambient set")
	}
	set := capSet(o.Caps)
	return at(k.Capset(set, set, 0), "set capabilities")
}

// Shell implements Op.
func (o Capset) Shell() string { return "setpriv --ambient-caps=-all --inh-caps=-all" }

// NoNewPrivs makes setuid bits and file capabilities powerless for init and all
// its descendants: PR_SET_NO_NEW_PRIVS, prctl(2), since Linux 3.5.
type NoNewPrivs struct{}

// Name implements Op.
func (NoNewPrivs) Name() string { return "no_new_privs" }

// Do implements Op.
func (NoNewPrivs) Do(k *sys.Kernel, _ *Target) error {
	return at(k.NoNewPrivs(), "set no_new_privs")
}

// Shell implements Op.
func (NoNewPrivs) Shell() string { return "setpriv --no-new-privs" }

// capSet turns names into a bit mask; unknown names were refused when the Spec
// was made.
func capSet(names []string) (mask uint64) {
	for _, name := range names {
		if n, ok := sys.CapNumber(name); ok {
			mask |= 1 << n
		}
	}
	return mask
}

// capList writes names as setpriv(1) takes them: -all,+chown,+kill.
func capList(names []string) string {
	list := "-all"
	for _, name := range names {
		list += ",+" + strings.ToLower(strings.TrimPrefix(name, "CAP_"))
	}
	return list
}
