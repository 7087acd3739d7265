package op

import (
	"fmt"
	"strings"

	"cutaway/sandbox/sys"
)

// Rlimit sets one resource limit of the process: setrlimit(2). Unlike a control
// group's, it counts for this process alone (or, for RLIMIT_NPROC, its user).
type Rlimit struct {
	Type string `json:"type"` // RLIMIT_NOFILE
	Soft uint64 `json:"soft"`
	Hard uint64 `json:"hard"`
}

// Name implements Op.
func (Rlimit) Name() string { return "prlimit" }

// Do implements Op.
func (o Rlimit) Do(k *sys.Kernel, _ *Target) error {
	n, ok := sys.RlimitNumber(o.Type)
	if !ok {
		return fmt.Errorf("no resource limit is called %q", o.Type)
	}
	return at(k.Prlimit(n, o.Type, o.Soft, o.Hard), "set %s to %d:%d", o.Type, o.Soft, o.Hard)
}

// Shell implements Op.
func (o Rlimit) Shell() string {
	return fmt.Sprintf("prlimit --pid $$ --%s=%d:%d", strings.ToLower(strings.TrimPrefix(o.Type, "RLIMIT_")), o.Soft, o.Hard)
}
