package profile_test

import (
	"runtime"
	"testing"

	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"

	"cutaway/sandbox/features"
	"cutaway/sandbox/op"
	"cutaway/sandbox/profile"
	"cutaway/sandbox/sys"
)

// some are the capabilities a container has by default, in part.
var some = []string{"CAP_CHOWN", "CAP_KILL", "CAP_SYS_CHROOT"}

func everyCap() []string {
	var all []string
	for n := range sys.LastCap() + 1 {
		all = append(all, sys.CapName(n))
	}
	return all
}

func names(p op.SeccompProfile) []string {
	var all []string
	for _, rule := range p.Syscalls {
		all = append(all, rule.Names...)
	}
	return all
}

// On the running kernel the result is what the library itself would give.
func TestDefaultIsDockers(t *testing.T) {
	f, err := features.Detect()
	require.NoError(t, err)
	for _, caps := range [][]string{nil, some, everyCap(), {"CAP_BPF"}, {"CAP_SYS_ADMIN"}, {"CAP_SYS_PTRACE"}} {
		want, err := seccomp.GetDefaultProfile(&specs.Spec{Process: &specs.Process{Capabilities: &specs.LinuxCapabilities{Bounding: caps}}})
		require.NoError(t, err)
		got, err := profile.Default(caps, f.Kernel)
		require.NoError(t, err)
		require.Equal(t, string(want.DefaultAction), got.DefaultAction)
		require.Equal(t, want.DefaultErrnoRet, got.DefaultErrnoRet)
		require.Len(t, got.Syscalls, len(want.Syscalls))
		for i, w := range want.Syscalls {
			g := got.Syscalls[i]
			require.Equal(t, w.Names, g.Names)
			require.Equal(t, string(w.Action), g.Action)
			require.Equal(t, w.ErrnoRet, g.ErrnoRet)
			require.Len(t, g.Args, len(w.Args))
			for j, a := range w.Args {
				require.Equal(t, op.SeccompArg{Index: a.Index, Value: a.Value, ValueTwo: a.ValueTwo, Op: string(a.Op)}, g.Args[j])
			}
		}
	}
}

func TestDefaultDependsOnTheKernelGiven(t *testing.T) {
	old, err := profile.Default(some, features.Version{Major: 4, Minor: 4})
	require.NoError(t, err)
	require.NotContains(t, names(old), "ptrace")
	current, err := profile.Default(some, features.Version{Major: 6, Minor: 1})
	require.NoError(t, err)
	require.Contains(t, names(current), "ptrace")
}

func TestExplain(t *testing.T) {
	p, err := profile.Default(some, features.Version{Major: 6, Minor: 1})
	require.NoError(t, err)
	full, err := profile.Default(everyCap(), features.Version{Major: 6, Minor: 1})
	require.NoError(t, err)
	for _, c := range []struct {
		p    op.SeccompProfile
		call string
		want string
	}{
		{p, "read", "read: the rule that names it says ALLOW"},
		{p, "mount", "mount: no rule names it: the default action is ERRNO(EPERM); Docker's profile allows it only with CAP_SYS_ADMIN"},
		{full, "mount", "mount: the rule that names it says ALLOW"},
		{p, "bpf", "bpf: no rule names it: the default action is ERRNO(EPERM); Docker's profile allows it only with CAP_SYS_ADMIN or CAP_BPF"},
		{p, "clone3", "clone3: the rule that names it says ERRNO(ENOSYS); Docker's profile allows it only with CAP_SYS_ADMIN"},
		{p, "clone", "clone: ALLOW if (arg0 & (CLONE_NEWNS|CLONE_NEWCGROUP|CLONE_NEWUTS|CLONE_NEWIPC|CLONE_NEWUSER|CLONE_NEWPID|CLONE_NEWNET)) == 0," +
			" else ERRNO(EPERM) by default; Docker's profile allows it only with CAP_SYS_ADMIN"},
		{p, "socket", "socket: ALLOW if arg0 < 38, else ALLOW if arg0 == 39, else ALLOW if arg0 > 40, else ERRNO(EPERM) by default"},
		{p, "rseq_slice_yield", "rseq_slice_yield: newer than every call the profile names: ERRNO(ENOSYS), as on a kernel without it"},
		{p, "frobnicate", "frobnicate: " + runtime.GOARCH + " has no system call of that name"},
		{op.SeccompProfile{DefaultAction: "SCMP_ACT_ALLOW"}, "mount", "mount: no rule names it: the default action is ALLOW"},
	} {
		require.Equal(t, c.want, profile.Explain(c.p, c.call))
	}
}

func TestDecide(t *testing.T) {
	p, err := profile.Default(some, features.Version{Major: 6, Minor: 1})
	require.NoError(t, err)
	for _, c := range []struct {
		call    string
		args    []uint64
		verdict string
		byRule  bool
	}{
		{"read", nil, "ALLOW", true},
		{"mount", nil, "ERRNO(EPERM)", false},
		{"clone3", nil, "ERRNO(ENOSYS)", true},
		{"socket", []uint64{2}, "ALLOW", true},          // AF_INET
		{"socket", []uint64{40}, "ERRNO(EPERM)", false}, // AF_VSOCK
		{"socket", []uint64{44}, "ALLOW", true},
		{"personality", []uint64{8}, "ALLOW", true},
		{"personality", []uint64{9}, "ERRNO(EPERM)", false},
		{"clone", []uint64{17}, "ALLOW", true}, // SIGCHLD
		{"clone", []uint64{0x10000000 | 17}, "ERRNO(EPERM)", false},
	} {
		verdict, rule := profile.Decide(p, c.call, c.args...)
		require.Equal(t, c.verdict, verdict, "%s %v", c.call, c.args)
		require.Equal(t, c.byRule, rule > 0, "%s %v", c.call, c.args)
	}
	either := op.SeccompProfile{DefaultAction: "SCMP_ACT_ALLOW", Syscalls: []op.SeccompRule{{Names: []string{"read"}, Action: "SCMP_ACT_ERRNO",
		Args: []op.SeccompArg{{Index: 0, Op: "SCMP_CMP_EQ", Value: 3}, {Index: 0, Op: "SCMP_CMP_GE", Value: 9}}}}}
	for fd, want := range map[uint64]string{3: "ERRNO(EPERM)", 5: "ALLOW", 10: "ERRNO(EPERM)"} {
		verdict, _ := profile.Decide(either, "read", fd)
		require.Equal(t, want, verdict, "two conditions on one argument: one is enough")
	}
}

func TestRules(t *testing.T) {
	eq := func(v uint64) []op.SeccompArg { return []op.SeccompArg{{Index: 0, Op: "SCMP_CMP_EQ", Value: v}} }
	p := op.SeccompProfile{DefaultAction: "SCMP_ACT_ERRNO", Syscalls: []op.SeccompRule{
		{Names: []string{"read", "write", "close", "lseek", "no_such_call"}, Action: "SCMP_ACT_ALLOW"},
		{Names: []string{"socket"}, Action: "SCMP_ACT_ALLOW", Args: eq(1)},
		{Names: []string{"socket"}, Action: "SCMP_ACT_ALLOW", Args: eq(2)},
		{Names: []string{"clone3"}, Action: "SCMP_ACT_ERRNO"},
	}}
	require.Equal(t, []string{"1     ALLOW 4 calls: read, write, close ...", "2-3   ALLOW socket if arg0 == 1 or arg0 == 2",
		"4     ERRNO(EPERM) clone3", "else  ERRNO(EPERM)"}, profile.Rules(p))
}

// The comparison finds what one profile does otherwise.
func TestCompare(t *testing.T) {
	f, err := features.Detect()
	require.NoError(t, err)
	ours, err := profile.Default(some, f.Kernel)
	require.NoError(t, err)
	docker, err := profile.Docker(some)
	require.NoError(t, err)
	same := profile.Compare(ours, docker)
	require.Empty(t, same.Differ)
	require.Equal(t, len(sys.SyscallNames()), same.Allowed+same.Depends+same.Refused)
	require.Positive(t, same.Depends)
	admin, err := profile.Docker(append([]string{"CAP_SYS_ADMIN"}, some...))
	require.NoError(t, err)
	require.Contains(t, profile.Compare(ours, admin).Differ, "mount")
}

// init compiles the filter on every start.
func BenchmarkCompileDefault(b *testing.B) {
	p, err := profile.Default(some, features.Version{Major: 6, Minor: 1})
	require.NoError(b, err)
	for b.Loop() {
		program, err := p.Compile()
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(program)), "instructions")
	}
}
