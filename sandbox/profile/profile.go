// Package profile holds the seccomp profile that containers get by default,
// Docker's, and can say in words what a profile does with a call.
//
// Its one invariant: a profile depends on nothing but what is passed in and the
// architecture, so that host and init, which never links this package, speak of
// the same one. It is apart from package op because the list is long and only
// the host needs it. Read profile.go, then explain.go; what becomes of a
// profile is in op/seccomp_compile.go.
package profile

import (
	"fmt"
	"runtime"
	"slices"

	"github.com/moby/profiles/seccomp"

	"cutaway/sandbox/features"
	"cutaway/sandbox/op"
	"cutaway/sandbox/sys"
)

// Default gives Docker's default profile for a container with the capabilities
// caps on the given kernel. It lets through what ordinary programs use, and the
// calls of an administrator only to those who hold the capability for them.
func Default(caps []string, kernel features.Version) (op.SeccompProfile, error) {
	if _, ok := sys.AuditArch(); !ok {
		return op.SeccompProfile{}, fmt.Errorf("no default seccomp profile for %s", runtime.GOARCH)
	}
	docker := seccomp.DefaultProfile()
	p := op.SeccompProfile{DefaultAction: string(docker.DefaultAction), DefaultErrnoRet: docker.DefaultErrnoRet}
	for _, rule := range docker.Syscalls {
		if included(rule, caps, kernel) {
			p.Syscalls = append(p.Syscalls, convert(rule))
		}
	}
	return p, nil
}

// included reports whether a rule counts: all that it includes must be there,
// and nothing that it excludes.
func included(rule *seccomp.Syscall, caps []string, kernel features.Version) bool {
	if in := rule.Includes; in != nil {
		missing := func(c string) bool { return !slices.Contains(caps, c) }
		if slices.ContainsFunc(in.Caps, missing) || !hasArch(in) || in.MinKernel != nil && !newEnough(in, kernel) {
			return false
		}
	}
	if ex := rule.Excludes; ex != nil {
		held := func(c string) bool { return slices.Contains(caps, c) }
		if slices.ContainsFunc(ex.Caps, held) || len(ex.Arches) > 0 && hasArch(ex) || ex.MinKernel != nil && newEnough(ex, kernel) {
			return false
		}
	}
	return true
}

// hasArch reports whether a filter is for this architecture, or for every one.
func hasArch(f *seccomp.Filter) bool {
	return len(f.Arches) == 0 || slices.Contains(f.Arches, runtime.GOARCH)
}

func newEnough(f *seccomp.Filter, kernel features.Version) bool {
	return kernel.AtLeast(features.Version{Major: int(f.MinKernel.Kernel), Minor: int(f.MinKernel.Major)})
}

func convert(rule *seccomp.Syscall) op.SeccompRule {
	r := op.SeccompRule{Names: rule.Names, Action: string(rule.Action), ErrnoRet: rule.ErrnoRet}
	for _, a := range rule.Args {
		r.Args = append(r.Args, op.SeccompArg{Index: a.Index, Value: a.Value, ValueTwo: a.ValueTwo, Op: string(a.Op)})
	}
	return r
}
