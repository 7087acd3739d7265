package profile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"

	"cutaway/sandbox/op"
	"cutaway/sandbox/sys"
)

// Decide says what p does with one call and these arguments, and by which rule:
// counted from 1, or 0 for the default action.
func Decide(p op.SeccompProfile, syscall string, args ...uint64) (verdict string, rule int) {
	for _, c := range casesOf(p, syscall) {
		if holds(c.args, args) {
			return c.verdict, c.rule
		}
	}
	return action(p.DefaultAction, p.DefaultErrnoRet), 0
}

// holds tries the conditions of a rule; where two are about the same argument,
// one is enough.
func holds(conditions []op.SeccompArg, args []uint64) bool {
	indexes := map[uint]bool{}
	met := 0
	for _, c := range conditions {
		indexes[c.Index] = true
		if int(c.Index) < len(args) && meets(c, args[c.Index]) {
			met++
		}
	}
	return met == len(conditions) || met > 0 && len(indexes) < len(conditions)
}

func meets(c op.SeccompArg, v uint64) bool {
	switch c.Op {
	case "SCMP_CMP_EQ":
		return v == c.Value
	case "SCMP_CMP_NE":
		return v != c.Value
	case "SCMP_CMP_GT":
		return v > c.Value
	case "SCMP_CMP_GE":
		return v >= c.Value
	case "SCMP_CMP_LT":
		return v < c.Value
	case "SCMP_CMP_LE":
		return v <= c.Value
	case "SCMP_CMP_MASKED_EQ":
		return v&c.Value == c.ValueTwo
	}
	return false
}

// Rules lists what a profile says, a line for each rule; rules in a row about the
// same calls share one.
func Rules(p op.SeccompProfile) (lines []string) {
	for i := 0; i < len(p.Syscalls); {
		first, end := p.Syscalls[i], i+1
		for end < len(p.Syscalls) && slices.Equal(p.Syscalls[end].Names, first.Names) {
			end++
		}
		numbers := fmt.Sprint(i + 1)
		if end > i+1 {
			numbers = fmt.Sprintf("%d-%d", i+1, end)
		}
		line := fmt.Sprintf("%-5s %s %s", numbers, action(first.Action, first.ErrnoRet), namesText(first.Names))
		var whens []string
		for _, rule := range p.Syscalls[i:end] {
			if len(rule.Args) > 0 {
				whens = append(whens, conditions(first.Names[0], rule.Args))
			}
		}
		if len(whens) > 0 {
			line += " if " + strings.Join(whens, " or ")
		}
		lines = append(lines, line)
		i = end
	}
	return append(lines, "else  "+action(p.DefaultAction, p.DefaultErrnoRet))
}

// namesText names a few calls, or counts those of this architecture.
func namesText(names []string) string {
	const few = 3
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	here := 0
	for _, name := range names {
		if _, ok := sys.SyscallNumber(name); ok {
			here++
		}
	}
	return fmt.Sprintf("%d calls: %s ...", here, strings.Join(names[:few], ", "))
}

// Docker gives the profile that docker itself would make for a container with
// these capabilities on the running kernel, by docker's own code.
func Docker(caps []string) (op.SeccompProfile, error) {
	docker, err := seccomp.GetDefaultProfile(&specs.Spec{Process: &specs.Process{Capabilities: &specs.LinuxCapabilities{Bounding: caps}}})
	if err != nil {
		return op.SeccompProfile{}, fmt.Errorf("make docker's seccomp profile: %w", err)
	}
	p := op.SeccompProfile{DefaultAction: string(docker.DefaultAction), DefaultErrnoRet: docker.DefaultErrnoRet}
	for _, rule := range docker.Syscalls {
		p.Syscalls = append(p.Syscalls, convert(&seccomp.Syscall{LinuxSyscall: rule}))
	}
	return p, nil
}

// Comparison counts the system calls of this architecture by what two profiles
// do with them.
type Comparison struct {
	Allowed, Depends, Refused int      // alike in both; Depends is by the arguments
	Differ                    []string // names
}

// Compare compares what two profiles do with every system call there is.
func Compare(a, b op.SeccompProfile) (c Comparison) {
	say := func(p op.SeccompProfile, name string) string {
		return fmt.Sprint(casesOf(p, name), action(p.DefaultAction, p.DefaultErrnoRet))
	}
	for _, name := range sys.SyscallNames() {
		cases := casesOf(a, name)
		verdict, _ := Decide(a, name)
		switch {
		case say(a, name) != say(b, name):
			c.Differ = append(c.Differ, name)
		case len(cases) > 0 && cases[0].when != "":
			c.Depends++
		case verdict == "ALLOW":
			c.Allowed++
		default:
			c.Refused++
		}
	}
	return c
}
