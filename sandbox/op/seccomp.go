package op

import (
	"golang.org/x/net/bpf"

	"cutaway/sandbox/sys"
)

// SeccompProfile says what is to happen to each system call; field names as in
// the OCI runtime-spec, config-linux.md, "Seccomp". The first rule that a call
// meets decides; a call that meets none gets the default action.
type SeccompProfile struct {
	DefaultAction   string        `json:"defaultAction"` // SCMP_ACT_ERRNO
	DefaultErrnoRet *uint         `json:"defaultErrnoRet,omitempty"`
	Syscalls        []SeccompRule `json:"syscalls,omitempty"`
	// Filter is the program all this makes, where that has been made: see Compiled.
	Filter []bpf.RawInstruction `json:"-"`
}

// SeccompRule gives some system calls an action. Names that this architecture
// does not have are passed over, as one profile serves several.
type SeccompRule struct {
	Names    []string     `json:"names"`
	Action   string       `json:"action"`
	ErrnoRet *uint        `json:"errnoRet,omitempty"` // EPERM if nil
	Args     []SeccompArg `json:"args,omitempty"`
}

// SeccompArg is a condition on an argument. The conditions of a rule must all
// hold; but where two are about the same argument, one is enough, which is how
// runc reads a profile.
type SeccompArg struct {
	Index    uint   `json:"index"` // 0 to 5
	Value    uint64 `json:"value"` // for SCMP_CMP_MASKED_EQ the mask
	ValueTwo uint64 `json:"valueTwo,omitempty"`
	Op       string `json:"op"` // SCMP_CMP_EQ
}

// Seccomp has the kernel ask a filter before each system call of init and its
// descendants, for good: seccomp(2). It needs no_new_privs or CAP_SYS_ADMIN.
type Seccomp struct {
	Profile SeccompProfile `json:"profile"`
}

// Name implements Op.
func (Seccomp) Name() string { return "seccomp" }

// Do implements Op.
func (o Seccomp) Do(k *sys.Kernel, _ *Target) error {
	filter, err := o.Profile.Compile()
	if err != nil {
		return at(err, "compile the seccomp filter")
	}
	return at(k.Seccomp(filter), "load the seccomp filter")
}

// Shell implements Op.
func (Seccomp) Shell() string { return "" }
