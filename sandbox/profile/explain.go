package profile

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"

	"cutaway/sandbox/op"
	"cutaway/sandbox/sys"
)

// Explain says which rule of p decides about a system call, and what p would
// need to let it pass:
//
//	mount: no rule names it: the default action is ERRNO(EPERM); Docker's profile allows it only with CAP_SYS_ADMIN
func Explain(p op.SeccompProfile, syscall string) string {
	number, ok := sys.SyscallNumber(syscall)
	if !ok {
		return fmt.Sprintf("%s: %s has no system call of that name", syscall, runtime.GOARCH)
	}
	byDefault := action(p.DefaultAction, p.DefaultErrnoRet)
	cases := casesOf(p, syscall)
	last := len(cases) - 1
	switch {
	case last >= 0 && cases[last].when == "":
		return sentence(syscall, cases, cases[last].verdict)
	case last >= 0:
		return sentence(syscall, append(cases, verdictCase{verdict: byDefault + " by default"}), byDefault)
	}
	if newest, strict := p.Newest(); strict && number > newest {
		return syscall + ": newer than every call the profile names: ERRNO(ENOSYS), as on a kernel without it"
	}
	return syscall + ": no rule names it: the default action is " + byDefault + onlyWith(syscall, byDefault)
}

// verdictCase is what a rule says of a call: always, or when its arguments are
// so.
type verdictCase struct {
	rule          int // from 1
	verdict, when string
	args          []op.SeccompArg
}

func (c verdictCase) String() string {
	if c.when == "" {
		return c.verdict
	}
	return c.verdict + " if " + c.when
}

// casesOf lists the rules that speak of a call, up to the first that always
// holds.
func casesOf(p op.SeccompProfile, syscall string) (cases []verdictCase) {
	for i, rule := range p.Syscalls {
		if !slices.Contains(rule.Names, syscall) {
			continue
		}
		c := verdictCase{rule: i + 1, verdict: action(rule.Action, rule.ErrnoRet), args: rule.Args}
		if len(rule.Args) == 0 {
			return append(cases, c)
		}
		c.when = conditions(syscall, rule.Args)
		cases = append(cases, c)
	}
	return cases
}

// sentence joins the cases in the order in which they are tried.
func sentence(syscall string, cases []verdictCase, last string) string {
	if len(cases) == 1 {
		return syscall + ": the rule that names it says " + last + onlyWith(syscall, last)
	}
	texts := make([]string, len(cases))
	for i, c := range cases {
		texts[i] = c.String()
	}
	return syscall + ": " + strings.Join(texts, ", else ") + onlyWith(syscall, last)
}

// action writes an action as ERRNO(EPERM) or ALLOW.
func action(name string, errno *uint) string {
	name = strings.TrimPrefix(name, "SCMP_ACT_")
	if name != "ERRNO" {
		return name
	}
	number := sys.EPERM
	if errno != nil {
		number = sys.Errno(*errno)
	}
	return "ERRNO(" + sys.ErrnoName(number) + ")"
}

var comparisons = map[string]string{"SCMP_CMP_EQ": "==", "SCMP_CMP_NE": "!=", "SCMP_CMP_GT": ">", "SCMP_CMP_GE": ">=",
	"SCMP_CMP_LT": "<", "SCMP_CMP_LE": "<="}

// conditions writes what a rule asks of the arguments, counted from 0.
func conditions(syscall string, args []op.SeccompArg) string {
	var all []string
	indexes := map[uint]bool{}
	for _, a := range args {
		indexes[a.Index] = true
		if a.Op == "SCMP_CMP_MASKED_EQ" {
			all = append(all, fmt.Sprintf("(arg%d & (%s)) == %s", a.Index, value(syscall, a.Value), value(syscall, a.ValueTwo)))
			continue
		}
		all = append(all, fmt.Sprintf("arg%d %s %s", a.Index, comparisons[a.Op], value(syscall, a.Value)))
	}
	if len(indexes) < len(args) {
		return strings.Join(all, " or ")
	}
	return strings.Join(all, " and ")
}

// value writes flags by name where the call is known to take flags.
func value(syscall string, v uint64) string {
	if syscall == "clone" || syscall == "unshare" {
		return sys.CloneFlags(v)
	}
	return fmt.Sprint(v)
}

// onlyWith adds the capabilities that Docker's profile asks for before it
// allows a call that was not allowed.
func onlyWith(syscall, verdict string) string {
	if verdict == "ALLOW" || verdict == "LOG" {
		return ""
	}
	var ways []string
	for _, rule := range seccomp.DefaultProfile().Syscalls {
		if rule.Action == specs.ActAllow && rule.Includes != nil && len(rule.Includes.Caps) > 0 &&
			hasArch(rule.Includes) && slices.Contains(rule.Names, syscall) {
			ways = append(ways, strings.Join(rule.Includes.Caps, " and "))
		}
	}
	if len(ways) == 0 {
		return ""
	}
	return "; Docker's profile allows it only with " + strings.Join(ways, " or ")
}
