// Package kernels runs the project's kernel tests in microVMs, on one kernel of
// each series the lab supports, under cgroup v2.
//
// Its one invariant: a test that is skipped there has earned it. A skip counts
// only if it names a feature's first kernel and the running one is older; all
// others are failures.
package kernels

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cutaway/stages"
	"cutaway/vm"

	"github.com/stretchr/testify/require"
)

// series are the oldest kernel the lab runs on, Debian 12's, and one that has
// all it can use. CUTAWAY_KERNELS names others, or fewer.
var series = []string{newest, "5.10", "6.1"}

const newest = "6.12"

// suite is a package whose tests make kernel objects; only and not are go test's
// -run and -skip, once is what need not be done on every kernel.
type suite struct{ dir, only, not, once string }

// suites leave out what proves the same thing many times, and what makes no
// kernel object: all tests are run on this host, and an emulated guest is twenty
// times as slow.
var suites = []suite{
	{dir: "sandbox/features"},
	{dir: "sandbox/inspect", not: "^TestCompareProperties$"},
	{dir: "sandbox/op"},
	{dir: "sandbox/image", only: "^(TestHostileLayers|TestFlatAndOverlayAgree|TestOwnerShift|TestOrdinaryUser)$"},
	{dir: "sandbox", not: "^(TestCancelled|TestRefusedPayload|TestBothWays|TestQuitAndBack|TestImports.*|TestOnlySysKnowsUnix|TestProbeStandsAlone|TestInitLinksOnlyWhatItNeeds|TestLog.*)$"},
	// Without what wants programs of this host; kills and strace in one stage each, those where the control groups of v2 are; many containers, and those of scripts, on one kernel.
	{dir: "stages", not: "^(TestNetWithoutRoot|TestSubordinateIDs|TestPlans|TestCompileIsPure|TestFusedKeepsTheOrder|TestStepsSayWhyAndWhat|TestEventsTellAll|TestKilledAnywhere|TestKilledAtFirst)$|^TestKilled$/^(0[0-79]|1)|^TestTruth$/^(0|1[1-5])",
		once: "^(TestKilled|TestTruth|TestLasting|TestAtOnce|TestScriptSame)$"},
}

const root = "../.."

// whole is cutaway with all its verbs, which make build puts into bin/cutaway: what
// a machine gets as its first process.
const whole = "cmd/front/program/cutaway"

// memory is for the guest's files as much as for the tests, in MiB.
const memory = 1024

// A guest is done in four minutes where nothing else runs. These end the tests of
// one package, which shows what hangs, and then the guest.
const (
	suiteLimit = 10 * time.Minute
	guestLimit = 14 * time.Minute
)

// TestKernels runs a guest for each kernel, as many at a time as there are
// processors. None of them needs root.
func TestKernels(t *testing.T) {
	t.Parallel()
	wanted := series
	if only := strings.Fields(os.Getenv("CUTAWAY_KERNELS")); len(only) > 0 {
		wanted = only
	}
	files := guestFiles(t)
	var passed, skipped atomic.Int64
	t.Cleanup(func() {
		t.Logf("%d kernels: %d tests passed, %d skipped, each for a reason above", len(wanted), passed.Load(), skipped.Load())
	})
	for _, s := range wanted {
		t.Run(s, func(t *testing.T) {
			t.Parallel()
			m := boot(t, vm.Config{Kernel: vm.KernelSource{Series: s}, Init: absolute(t, root, whole), Memory: memory, Files: files})
			for _, one := range suites {
				t.Run(one.dir, func(t *testing.T) {
					p, earned := m.test(t, s, one)
					passed.Add(int64(p))
					skipped.Add(int64(len(earned)))
				})
			}
			if s == newest {
				t.Run("tour", m.tour)
			}
		})
	}
}

// machine is a guest that is up for the length of a test.
type machine struct {
	*vm.Machine
	ctx context.Context
}

func boot(t *testing.T, c vm.Config) machine {
	ctx, cancel := context.WithTimeoutCause(t.Context(), guestLimit, fmt.Errorf("the guest has had its %s", guestLimit))
	t.Cleanup(cancel)
	m, err := vm.Boot(ctx, c)
	require.NoError(t, err)
	t.Cleanup(m.Stop)
	t.Logf("Linux %s, %s, ready after %s", m.Kernel.Version, m.Accel, m.Boot.Round(10*time.Millisecond))
	return machine{m, ctx}
}

// run runs a command in the guest and gives its output and exit status.
func (m machine) run(t *testing.T, dir string, args ...string) (string, int) {
	var out bytes.Buffer
	status, err := m.Run(m.ctx, vm.Command{Args: args, Dir: dir, Stdout: &out, Stderr: &out})
	require.NoError(t, err, "%s", &out)
	return out.String(), status
}

// test runs the tests of a package. It tells how many passed, and which were
// skipped because the kernel is too old; no others may be.
func (m machine) test(t *testing.T, series string, s suite) (passed int, earned []string) {
	dir := "/src/" + s.dir
	skip := []string{"^$"}
	for _, pattern := range []string{s.not, s.once} {
		if pattern != "" && (pattern != s.once || series != newest) {
			skip = append(skip, pattern)
		}
	}
	out, status := m.run(t, dir, dir+"/kernel.test", "-test.v", "-test.short", "-test.timeout="+suiteLimit.String(),
		"-test.run="+s.only, "-test.skip="+strings.Join(skip, "|"))
	earned, wrong := skips(series, out)
	for _, skip := range earned {
		t.Log("skipped:", skip)
	}
	require.Empty(t, wrong, "skips nobody earned")
	require.Zero(t, status, "exit status; %s", failures(out))
	passed = strings.Count(out, "--- PASS: ")
	t.Logf("%d passed, %d skipped", passed, len(earned))
	require.Positive(t, passed)
	if s.dir == "stages" {
		for _, stage := range stages.All {
			name := "TestStages/" + stage.Slug
			excused := slices.ContainsFunc(earned, func(e string) bool { return strings.HasPrefix(e, name+": ") })
			require.True(t, excused || strings.Contains(out, "--- PASS: "+name+" "), "%s was not played", stage.Slug)
		}
	}
	return passed, earned
}

// tour takes the tour as people do: every stage is there, all that it promises is
// seen, and nothing stays behind.
func (m machine) tour(t *testing.T) {
	out, status := m.run(t, "/root", "cutaway", "tour", "--auto")
	require.Zero(t, status, "%s", out)
	require.Contains(t, out, fmt.Sprintf("\n %d stages, ", len(stages.All)))
	require.Regexp(t, `\n [0-9]+ observations, all as expected\n host before = host after: yes `, out)
	t.Log(out[strings.LastIndex(out, "\n\n"):])
}
