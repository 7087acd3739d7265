package op

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/bpf"

	"cutaway/sandbox/sys"
)

// seccompData is what a filter looks at: struct seccomp_data, seccomp(2).
type seccompData struct {
	number, arch uint32
	args         [6]uint64
}

func (d seccompData) word(offset uint32) uint32 {
	switch {
	case offset == 0:
		return d.number
	case offset == 4:
		return d.arch
	case offset%8 == 0:
		return uint32(d.args[(offset-16)/8])
	}
	return uint32(d.args[(offset-20)/8] >> 32)
}

// simulate runs a filter as the kernel does. The virtual machine of package
// bpf will not do: it loads words as they are in packets, big-endian.
func simulate(t *testing.T, program []bpf.RawInstruction, d seccompData) uint32 {
	var a uint32
	for at := 0; at < len(program); at++ {
		jump := func(yes bool, i bpf.JumpIf) {
			if yes {
				at += int(i.SkipTrue)
			} else {
				at += int(i.SkipFalse)
			}
		}
		switch i := program[at].Disassemble().(type) {
		case bpf.LoadAbsolute:
			a = d.word(i.Off)
		case bpf.ALUOpConstant:
			a &= i.Val
		case bpf.Jump:
			at += int(i.Skip)
		case bpf.RetConstant:
			return i.Val
		case bpf.JumpIf:
			switch i.Cond {
			case bpf.JumpEqual:
				jump(a == i.Val, i)
			case bpf.JumpNotEqual:
				jump(a != i.Val, i)
			case bpf.JumpGreaterThan:
				jump(a > i.Val, i)
			case bpf.JumpGreaterOrEqual:
				jump(a >= i.Val, i)
			case bpf.JumpLessThan:
				jump(a < i.Val, i)
			case bpf.JumpLessOrEqual:
				jump(a <= i.Val, i)
			default:
				t.Fatalf("unexpected jump %v", i)
			}
		default:
			t.Fatalf("unexpected instruction %v", i)
		}
	}
	t.Fatal("the program runs off its end")
	return 0
}

// evaluator answers calls straight from the profile, rule by rule.
func evaluator(t *testing.T, p SeccompProfile) func(seccompData) uint32 {
	rules := map[uint32][]SeccompRule{}
	for _, rule := range p.Syscalls {
		for _, name := range rule.Names {
			if n, ok := sys.SyscallNumber(name); ok {
				rules[uint32(n)] = append(rules[uint32(n)], rule)
			}
		}
	}
	arch, _ := sys.AuditArch()
	newest, strict := p.Newest()
	return func(d seccompData) uint32 {
		if d.arch != arch || runtime.GOARCH == "amd64" && d.number >= sys.X32 || strict && int64(d.number) > int64(newest) {
			return noSuchCall
		}
		action, errno := p.DefaultAction, p.DefaultErrnoRet
		for _, rule := range rules[d.number] {
			if meets(rule.Args, d) {
				action, errno = rule.Action, rule.ErrnoRet
				break
			}
		}
		answer, err := seccompAnswer(action, errno)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
}

func meets(args []SeccompArg, d seccompData) bool {
	var indexes [6]bool
	some, all, repeated := false, true, false
	for _, c := range args {
		yes := holds(c, d.args[c.Index])
		some, all = some || yes, all && yes
		repeated = repeated || indexes[c.Index]
		indexes[c.Index] = true
	}
	return all || some && repeated
}

func holds(c SeccompArg, a uint64) bool {
	switch c.Op {
	case "SCMP_CMP_EQ":
		return a == c.Value
	case "SCMP_CMP_NE":
		return a != c.Value
	case "SCMP_CMP_LT":
		return a < c.Value
	case "SCMP_CMP_LE":
		return a <= c.Value
	case "SCMP_CMP_GT":
		return a > c.Value
	case "SCMP_CMP_GE":
		return a >= c.Value
	}
	return a&c.Value == c.ValueTwo
}

// randomProfile makes a profile that names most calls, many more than a
// conditional jump can skip, with conditions on their arguments.
func randomProfile(r *rand.Rand) SeccompProfile {
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	action := func() string {
		return pick("SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_LOG", "SCMP_ACT_TRAP", "SCMP_ACT_KILL", "SCMP_ACT_TRACE")
	}
	names := []string{"no_such_call"}
	for _, name := range knownCalls {
		if _, ok := sys.SyscallNumber(name); ok {
			names = append(names, name)
		}
	}
	p := SeccompProfile{DefaultAction: action()}
	for range 400 {
		rule := SeccompRule{Names: []string{pick(names...)}, Action: action()}
		if r.IntN(2) == 0 {
			errno := uint(r.IntN(100))
			rule.ErrnoRet = &errno
		}
		for range r.IntN(4) {
			rule.Args = append(rule.Args, SeccompArg{Index: uint(r.IntN(6)), Op: pick(seccompComparisons...),
				Value: boundary(r), ValueTwo: boundary(r)})
		}
		p.Syscalls = append(p.Syscalls, rule)
	}
	return p
}

// boundary gives a value that is likely to equal another, or to be next to it,
// in one of its halves or both.
func boundary(r *rand.Rand) uint64 {
	return uint64(r.IntN(3))<<32 + uint64(r.IntN(3)) - uint64(r.IntN(2))
}

var knownCalls = strings.Fields(`read write open close mmap mprotect socket clone clone3 personality mount umount2
	ptrace setns unshare kexec_load bpf reboot getpid gettid futex execve exit_group openat faccessat2 statx`)

func TestFilterDoesWhatTheProfileSays(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	longest := 0
	for range 20 {
		longest = max(longest, CheckFilter(t, randomProfile(r), r))
	}
	require.Greater(t, longest, 1000, "long jumps must have been needed")
}

// CheckFilter compiles a profile, simulates the program for all system calls
// there are and some more, and gives its length. The arguments are drawn from
// the values in the profile and those next to them.
func CheckFilter(t *testing.T, p SeccompProfile, r *rand.Rand) int {
	t.Helper()
	program, err := p.Compile()
	require.NoError(t, err)
	again, err := p.Compile()
	require.NoError(t, err)
	require.Equal(t, program, again, "the same profile gives the same program")
	values := []uint64{0, ^uint64(0), 1 << 32}
	for _, rule := range p.Syscalls {
		for _, a := range rule.Args {
			values = append(values, a.Value, a.Value-1, a.Value+1, a.Value+1<<32, a.ValueTwo)
		}
	}
	arch, ok := sys.AuditArch()
	require.True(t, ok)
	evaluate := evaluator(t, p)
	check := func(d seccompData) {
		if want, got := evaluate(d), simulate(t, program, d); want != got {
			t.Fatalf("%+v: want %#x, got %#x", d, want, got)
		}
	}
	for n := range uint32(601) {
		for range 20 {
			d := seccompData{number: n, arch: arch}
			for i := range d.args {
				d.args[i] = values[r.IntN(len(values))]
			}
			check(d)
		}
		check(seccompData{number: n, arch: arch ^ 1})
		check(seccompData{number: sys.X32 + n, arch: arch})
		check(seccompData{number: ^n, arch: arch})
	}
	return len(program)
}

func TestSmallProfiles(t *testing.T) {
	arch, _ := sys.AuditArch()
	number := func(name string) uint32 {
		n, ok := sys.SyscallNumber(name)
		require.True(t, ok, name)
		return uint32(n)
	}
	enoent := uint(sys.ENOENT)
	for _, p := range []SeccompProfile{
		{DefaultAction: "SCMP_ACT_ALLOW"},
		{DefaultAction: "SCMP_ACT_KILL"},
		{DefaultAction: "SCMP_ACT_ERRNO", DefaultErrnoRet: &enoent, Syscalls: []SeccompRule{{Names: []string{"read"}, Action: "SCMP_ACT_ALLOW"}}},
		{DefaultAction: "SCMP_ACT_ALLOW", Syscalls: []SeccompRule{{Names: []string{"mount", "no_such_call"}, Action: "SCMP_ACT_KILL_PROCESS"}}},
	} {
		program, err := p.Compile()
		require.NoError(t, err)
		evaluate := evaluator(t, p)
		for _, n := range []uint32{number("read"), number("mount"), number("mount") + 1, 600, sys.X32, sys.X32 + number("mount")} {
			d := seccompData{number: n, arch: arch}
			require.Equal(t, evaluate(d), simulate(t, program, d), "%d of %+v", n, p)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	rule := func(action string, arg SeccompArg) SeccompProfile {
		return SeccompProfile{DefaultAction: "SCMP_ACT_ALLOW", Syscalls: []SeccompRule{{Names: []string{"read"}, Action: action, Args: []SeccompArg{arg}}}}
	}
	for text, p := range map[string]SeccompProfile{
		`default action: no seccomp action is called ""`:       {},
		`rule 0: no seccomp action is called "SCMP_ACT_MAYBE"`: rule("SCMP_ACT_MAYBE", SeccompArg{Op: "SCMP_CMP_EQ"}),
		`rule 0: system calls have arguments 0 to 5, not 6`:    rule("SCMP_ACT_ALLOW", SeccompArg{Index: 6, Op: "SCMP_CMP_EQ"}),
		`rule 0: no comparison is called "="`:                  rule("SCMP_ACT_ALLOW", SeccompArg{Op: "="}),
	} {
		k := &sys.Kernel{}
		require.EqualError(t, Run(Seccomp{p}, k, nil), "compile the seccomp filter: "+text)
		require.Empty(t, k.Calls())
	}
	tooLong := SeccompProfile{DefaultAction: "SCMP_ACT_ALLOW"}
	for i := range 5000 {
		tooLong.Syscalls = append(tooLong.Syscalls, SeccompRule{Names: []string{"read"}, Action: "SCMP_ACT_ERRNO",
			Args: []SeccompArg{{Value: uint64(i), Op: "SCMP_CMP_EQ"}}})
	}
	_, err := tooLong.Compile()
	require.ErrorContains(t, err, "instructions, and the kernel takes 4096")
}

// denials is the profile of the kernel tests below.
var denials = SeccompProfile{DefaultAction: "SCMP_ACT_ALLOW", Syscalls: []SeccompRule{
	{Names: []string{"mount"}, Action: "SCMP_ACT_ERRNO"},
	{Names: []string{"swapoff"}, Action: "SCMP_ACT_KILL_PROCESS"},
	{Names: []string{"personality"}, Action: "SCMP_ACT_ERRNO", Args: []SeccompArg{{Index: 0, Value: 0xffff0000, ValueTwo: 0, Op: "SCMP_CMP_MASKED_EQ"}}},
}}

// TestKernelObeysTheFilter has a child load a filter and make a call.
func TestKernelObeysTheFilter(t *testing.T) {
	if call := os.Getenv("CUTAWAY_TEST_SECCOMP"); call != "" {
		callUnderFilter(t, call)
		return
	}
	child := func(call string, as *syscall.Credential) (string, error) {
		cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), "CUTAWAY_TEST_SECCOMP="+call)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
		out, err := cmd.Output()
		word, _, _ := strings.Cut(string(out), "\n")
		return word, err
	}
	for call, want := range map[string]string{
		"mount":       "EPERM",
		"umount":      "ENOENT", // the kernel's own answer: the call was let through
		"personality": "EPERM",
		"allowed":     "", // another value of the argument
	} {
		got, err := child(call, nil)
		require.NoError(t, err, call)
		require.Equal(t, want, got, call)
	}
	_, err := child("swapoff", nil)
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, syscall.SIGSYS, exit.Sys().(syscall.WaitStatus).Signal())

	// an ordinary user may load a filter only after no_new_privs
	got, err := child("unprivileged", &syscall.Credential{Uid: 65534, Gid: 65534})
	require.NoError(t, err)
	require.Equal(t, "load the seccomp filter: EACCES: permission denied | "+hints["seccomp"][sys.EACCES], got)
}

func callUnderFilter(t *testing.T, call string) {
	runtime.LockOSThread() // the filter is this thread's alone
	k := &sys.Kernel{}
	if call != "unprivileged" {
		require.NoError(t, Run(NoNewPrivs{}, k, nil))
	}
	var refused *Error
	if errors.As(Run(Seccomp{denials}, k, nil), &refused) {
		fmt.Println(refused, "|", refused.Hint())
		return
	}
	var err error
	switch call {
	case "mount":
		err = syscall.Mount("none", "/does/not/exist", "tmpfs", 0, "")
	case "umount":
		err = syscall.Unmount("/does/not/exist", 0)
	case "swapoff":
		_, _, e := syscall.RawSyscall(syscall.SYS_SWAPOFF, 0, 0, 0)
		err = e
	case "personality":
		_, _, e := syscall.RawSyscall(syscall.SYS_PERSONALITY, 0xffff, 0, 0)
		err = e
	case "allowed":
		if _, _, e := syscall.RawSyscall(syscall.SYS_PERSONALITY, 0xffffffff, 0, 0); e != 0 {
			err = e
		}
	}
	if err == nil {
		fmt.Println()
		return
	}
	fmt.Println(sys.ErrnoName(err))
}
