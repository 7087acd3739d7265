package op

import (
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/net/bpf"

	"cutaway/sandbox/sys"
)

// Compile turns the profile into a BPF program over struct seccomp_data:
// seccomp(2). The same profile gives the same program.
//
// The program looks for the call's number by halving the table of numbers, so
// a call costs about eight comparisons where a list would cost hundreds. Two
// kinds of call never reach the table and fail with ENOSYS, as on a kernel
// without them: those by another architecture's numbers (i386 and x32 programs
// on amd64), which the profile does not speak about; and, unless the default
// is to let calls pass, those newer than every call the profile names. A C
// library tries a new call first and falls back to the old one on ENOSYS, but
// takes EPERM for the final answer; runc does the same.
func (p SeccompProfile) Compile() ([]bpf.RawInstruction, error) {
	if p.Filter != nil {
		return p.Filter, nil
	}
	arch, ok := sys.AuditArch()
	if !ok {
		return nil, fmt.Errorf("the numbers of the system calls of %s are not known", runtime.GOARCH)
	}
	calls, err := p.calls()
	if err != nil {
		return nil, err
	}
	newest := len(calls.checks) - 1
	strict := p.strict(newest)
	b := newSeccompProgram()
	noSuchCall := b.answer(noSuchCall)
	next := b.search(calls.spans(strict))
	switch {
	case strict:
		next = b.test(bpf.JumpGreaterThan, uint32(newest), noSuchCall, next)
	case runtime.GOARCH == "amd64":
		next = b.test(bpf.JumpGreaterOrEqual, sys.X32, noSuchCall, next)
	}
	next = b.load(numberOffset, next)
	next = b.test(bpf.JumpEqual, arch, next, noSuchCall)
	b.load(archOffset, next)
	return b.assemble()
}

// Compiled gives a profile that is nothing but its filter: a tenth as long, and
// all that the kernel is told.
func (p SeccompProfile) Compiled() (SeccompProfile, error) {
	filter, err := p.Compile()
	return SeccompProfile{Filter: filter}, err
}

// Newest gives the highest number among the system calls the profile names.
// strict is whether calls beyond it fail with ENOSYS.
func (p SeccompProfile) Newest() (number int, strict bool) {
	number = -1
	for _, rule := range p.Syscalls {
		for _, name := range rule.Names {
			if n, ok := sys.SyscallNumber(name); ok {
				number = max(number, n)
			}
		}
	}
	return number, p.strict(number)
}

func (p SeccompProfile) strict(newest int) bool {
	passes := slices.Contains([]string{"SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"}, p.DefaultAction)
	return newest >= 0 && !passes
}

// noSuchCall makes a call fail with ENOSYS.
const noSuchCall = sys.SeccompErrno | uint32(sys.ENOSYS)
