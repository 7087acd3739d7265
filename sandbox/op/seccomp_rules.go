package op

import (
	"fmt"
	"slices"

	"cutaway/sandbox/sys"
)

// seccompCalls is a profile by number instead of name.
type seccompCalls struct {
	checks [][]seccompCheck // of each call up to the newest that is named, in the order of the profile
	other  uint32           // the answer to all other calls
}

// seccompCheck is an answer and the conditions it depends on.
type seccompCheck struct {
	all    []SeccompArg
	answer uint32
}

func (p SeccompProfile) calls() (seccompCalls, error) {
	other, err := seccompAnswer(p.DefaultAction, p.DefaultErrnoRet)
	const soFar = 512 // Linux numbers fewer calls yet; the list would grow
	calls := seccompCalls{make([][]seccompCheck, 0, soFar), other}
	if err != nil {
		return calls, fmt.Errorf("default action: %w", err)
	}
	for i, rule := range p.Syscalls {
		checks, err := rule.checks()
		if err != nil {
			return calls, fmt.Errorf("rule %d: %w", i, err)
		}
		for _, name := range rule.Names {
			if n, ok := sys.SyscallNumber(name); ok {
				calls.add(n, checks)
			}
		}
	}
	return calls, nil
}

// add has checks made about a call after those of earlier rules. Most calls are
// in one rule, and share its list.
func (c *seccompCalls) add(n int, checks []seccompCheck) {
	if more := n + 1 - len(c.checks); more > 0 {
		c.checks = append(c.checks, make([][]seccompCheck, more)...)
	}
	if c.checks[n] == nil {
		c.checks[n] = slices.Clip(checks)
		return
	}
	c.checks[n] = append(c.checks[n], checks...)
}

// checks are what a rule asks about each of its calls.
func (r SeccompRule) checks() ([]seccompCheck, error) {
	answer, err := seccompAnswer(r.Action, r.ErrnoRet)
	if err != nil {
		return nil, err
	}
	var checks []seccompCheck
	conditions, err := alternatives(r.Args)
	for _, all := range conditions {
		checks = append(checks, seccompCheck{all, answer})
	}
	return checks, err
}

// alternatives gives the lists of conditions any of which is enough.
func alternatives(args []SeccompArg) ([][]SeccompArg, error) {
	seen := map[uint]bool{}
	var single [][]SeccompArg
	for _, a := range args {
		if a.Index > 5 {
			return nil, fmt.Errorf("system calls have arguments 0 to 5, not %d", a.Index)
		}
		if !slices.Contains(seccompComparisons, a.Op) {
			return nil, fmt.Errorf("no comparison is called %q", a.Op)
		}
		seen[a.Index] = true
		single = append(single, []SeccompArg{a})
	}
	if len(seen) < len(args) {
		return single, nil
	}
	return [][]SeccompArg{args}, nil
}

var seccompComparisons = []string{"SCMP_CMP_EQ", "SCMP_CMP_NE", "SCMP_CMP_GT", "SCMP_CMP_GE",
	"SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_MASKED_EQ"}

// seccompAnswer gives the value that a filter returns for an action.
func seccompAnswer(action string, errno *uint) (uint32, error) {
	data := uint32(sys.EPERM)
	if errno != nil {
		data = uint32(*errno) & 0xffff
	}
	switch action {
	case "SCMP_ACT_ALLOW":
		return sys.SeccompAllow, nil
	case "SCMP_ACT_ERRNO":
		return sys.SeccompErrno | data, nil
	case "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD":
		return sys.SeccompKillThread, nil
	case "SCMP_ACT_KILL_PROCESS":
		return sys.SeccompKillProcess, nil
	case "SCMP_ACT_LOG":
		return sys.SeccompLog, nil
	case "SCMP_ACT_TRACE":
		return sys.SeccompTrace | data, nil
	case "SCMP_ACT_TRAP":
		return sys.SeccompTrap, nil
	}
	return 0, fmt.Errorf("no seccomp action is called %q", action)
}

// seccompSpan is a run of numbers, up to where the next begins, that are
// answered alike.
type seccompSpan struct {
	first  uint32
	checks []seccompCheck // made one after the other
	other  uint32         // the answer when none holds
}

// spans divides the numbers from 0 on: up to the newest, or all there are when
// the program does not stop there.
func (c seccompCalls) spans(strict bool) []seccompSpan {
	end := len(c.checks)
	if !strict {
		end++
	}
	var spans []seccompSpan
	for n := range end {
		s := c.span(n)
		if before := len(spans) - 1; before >= 0 && len(s.checks) == 0 &&
			len(spans[before].checks) == 0 && spans[before].other == s.other {
			continue
		}
		spans = append(spans, s)
	}
	return spans
}

// span settles what is asked about one call: nothing after a check without
// conditions, and no check that gives the answer it would get anyway.
func (c seccompCalls) span(n int) seccompSpan {
	s := seccompSpan{first: uint32(n), other: c.other}
	if n < len(c.checks) {
		s.checks = c.checks[n]
	}
	if i := slices.IndexFunc(s.checks, func(k seccompCheck) bool { return len(k.all) == 0 }); i >= 0 {
		s.checks, s.other = s.checks[:i], s.checks[i].answer
	}
	for len(s.checks) > 0 && s.checks[len(s.checks)-1].answer == s.other {
		s.checks = s.checks[:len(s.checks)-1]
	}
	return s
}
