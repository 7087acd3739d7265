package stages

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"cutaway/sandbox"
	"cutaway/sandbox/features"
	"cutaway/sandbox/image"
	"cutaway/sandbox/plan"
	"cutaway/sandbox/sys"
	"cutaway/sandbox/trace"
	"cutaway/stages/buildup"

	"github.com/stretchr/testify/require"
)

// A kill test runs this test binary once more, to make the container of a stage
// and die by SIGKILL before or after a step. The variable tells the second
// process where the lab is and when to die: "STATE STAGE before STEP".
const dieVariable = "CUTAWAY_TEST_DIE"

func TestMain(m *testing.M) {
	if words := strings.Fields(os.Getenv(dieVariable)); len(words) == 4 {
		fmt.Println(makeAndDie(words[0], words[1], words[2], words[3]))
		os.Exit(1)
	}
	if os.Getenv(prepared) != "" {
		os.Exit(m.Run())
	}
	os.Exit(alone(m.Run))
}

// alone runs tests while no other test of the lab does: they compare what the
// host was with what it is.
func alone(run func() int) int {
	lock, err := os.OpenFile(filepath.Join(os.TempDir(), "cutaway-test.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		defer lock.Close()
		err = sys.Lock(lock)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return run()
}

// makeAndDie is what the second process does. It returns only if it was not
// killed.
func makeAndDie(state, slug, when, number string) error {
	s, err := Find(slug)
	if err != nil {
		return err
	}
	step, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	l, store, err := openLab(state)
	if err != nil {
		return err
	}
	die := func() { syscall.Kill(os.Getpid(), syscall.SIGKILL) }
	if when == "pause" {
		return playUntil(Runner{Lab: l, Store: store, All: true, Program: cutaway}, s, step, die)
	}
	_, err = makeContainer(context.Background(), l, store, s, func(i int, done bool) {
		if i == step && done == (when == "after") {
			die()
		}
	})
	return errors.Join(err, errors.New("the container was made"))
}

// playUntil plays a stage up to the pause before a step.
func playUntil(r Runner, s Stage, step int, then func()) error {
	asked := 0
	r.Pause = func(context.Context, trace.Preview) (trace.Decision, error) {
		if asked++; asked > step {
			then()
		}
		return trace.Go, nil
	}
	return r.Run(context.Background(), s)
}

// makeContainer makes the container of a stage by the Plan that people see, but
// without a look at what each step changes: that takes most of the time.
func makeContainer(ctx context.Context, l *sandbox.Lab, store *image.Store, s Stage, told func(i int, done bool)) (*sandbox.Container, error) {
	m, err := prepare(ctx, l, store, s)
	if err != nil {
		return nil, err
	}
	if m.Tree != "" {
		if m.Tree, err = smallTree(m.Tree); err != nil {
			return nil, err
		}
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	spec := Spec(s, m)
	spec.Process.Args = []string{buildup.Shell, "-c", "while :; do sleep 1000; done"}
	return l.Start(ctx, spec, sandbox.Options{Stage: s.Slug, Watch: true, Step: told, Stdio: [3]*os.File{null, null, null},
		Shown: func(_ plan.Spec, p plan.Plan) []bool { return make([]bool, len(p)) }})
}

// smallTree makes a root filesystem with a shell and the probe, beside a whole one,
// out of its files: to copy the whole would take longer than all the rest.
func smallTree(whole string) (string, error) {
	small := whole + "-small"
	if _, err := os.Stat(small); err == nil {
		return small, nil
	}
	info, err := os.Stat(whole)
	if err != nil {
		return "", err
	}
	owner := info.Sys().(*syscall.Stat_t)
	for _, dir := range []string{"", "bin", "dev", "etc", "mnt", "proc", "sys", "tmp", "usr", "usr/bin"} {
		dir = filepath.Join(small, dir)
		if err := errors.Join(os.Mkdir(dir, 0o755), os.Chown(dir, int(owner.Uid), int(owner.Gid))); err != nil {
			return "", err
		}
	}
	return small, errors.Join(os.Link(whole+"/bin/busybox", small+"/bin/busybox"), os.Link(whole+"/usr/bin/probe", small+"/usr/bin/probe"), os.Symlink("busybox", small+"/bin/sh"))
}

func openLab(state string) (*sandbox.Lab, *image.Store, error) {
	l, err := sandbox.New(state)
	if err != nil {
		return nil, nil, err
	}
	store, err := image.Open(l.Dirs.Images())
	return l, store, err
}

func detect(t *testing.T) features.Features {
	t.Helper()
	f, err := features.Detect()
	require.NoError(t, err)
	return f
}

// stateDir is a place for the lab that a container's root, who is nobody on the
// host, can find its way into.
func stateDir(t *testing.T) string {
	t.Helper()
	state, err := os.MkdirTemp("", "cutaway-stages-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(state, 0o711))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(state)) })
	return state
}

// TestKilled kills cutaway before and after every step of every stage, and init
// before every step. Each time all processes are gone at once, and cleaning up
// makes the machine what it was.
func TestKilled(t *testing.T) {
	l, store, err := openLab(stateDir(t))
	require.NoError(t, err)
	kills := 0
	for _, s := range All {
		if s.Lacks(l.Features) != nil {
			continue // the tests of the stages say why
		}
		t.Run(s.Slug, func(t *testing.T) {
			k := killer{T: t, l: l, store: store, stage: s}
			steps := k.through()
			for step := range steps {
				k.host("after", step)
				if testing.Short() { // an emulated machine takes a second for each
					continue
				}
				k.host("before", step)
				k.init(step)
			}
			k.payload()
			if s.Prepare != nil {
				for step := range 3 { // two steps of its own, and then it is like the others
					k.host("pause", step)
				}
			}
			kills += k.kills
		})
	}
	if !t.Failed() {
		figure(t, "%d kills before and after every step, of init and of payloads, 0 leaks", kills)
	}
}

// killer kills what makes the container of one stage.
type killer struct {
	*testing.T
	l      *sandbox.Lab
	store  *image.Store
	stage  Stage
	before machineState
	kills  int
}

// through makes the container without a kill, so that what is kept exists before
// the comparison, and counts its steps.
func (k *killer) through() (steps int) {
	// What outlives its parent comes to us, to be reaped: not every machine that
	// runs tests has a process 1 that does.
	require.NoError(k, sys.Subreaper())
	c, err := makeContainer(k.Context(), k.l, k.store, k.stage, func(int, bool) {})
	require.NoError(k, err)
	require.NoError(k, c.Remove())
	k.before = settled(k.T, k.l)
	return len(c.Plan)
}

// host kills cutaway.
func (k *killer) host(when string, step int) {
	const patience = time.Minute
	ctx, cancel := context.WithTimeout(k.Context(), patience)
	defer cancel()
	self, err := os.Executable()
	require.NoError(k, err)
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), strings.Join([]string{dieVariable + "=" + k.l.Dirs.Data, k.stage.Slug, when, strconv.Itoa(step)}, " "))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(k, err, &exit, "%s step %d", when, step)
	require.Equal(k, -1, exit.ExitCode(), "%s step %d, not killed: %s", when, step, out)
	k.kills++
	k.dead(step)
	_, err = k.l.Clean()
	require.NoError(k, err, "%s step %d", when, step)
	k.compare("cutaway killed "+when, step)
}

// dead waits for init to follow its host.
func (k *killer) dead(step int) {
	records, err := k.l.Records()
	require.NoError(k, err)
	for _, r := range records {
		require.False(k, r.Live)
		require.Eventually(k, func() bool {
			again, err := k.l.Find(r.ID)
			return err != nil || again.PID == 0
		}, time.Second, time.Millisecond, "step %d: init outlives cutaway", step)
	}
}

// init kills init before a step. There is nobody left to do the next one of its
// own, and cutaway takes back what there is.
func (k *killer) init(step int) {
	killed := false
	c, err := makeContainer(k.Context(), k.l, k.store, k.stage, func(i int, done bool) {
		if i != step || done {
			return
		}
		records, err := k.l.Records()
		require.NoError(k, err)
		if pid := records[0].PID; pid != 0 {
			require.NoError(k, syscall.Kill(pid, syscall.SIGKILL))
			killed = true
		}
	})
	if !killed { // it was not born yet
		require.NoError(k, err)
		require.NoError(k, c.Remove())
		return
	}
	require.ErrorContains(k, err, "was ended by SIGKILL before", "step %d", step)
	k.kills++
	k.compare("init killed before", step)
}

// payload kills the payload.
func (k *killer) payload() {
	c, err := makeContainer(k.Context(), k.l, k.store, k.stage, func(int, bool) {})
	require.NoError(k, err)
	require.NoError(k, syscall.Kill(c.PID(), syscall.SIGKILL))
	exit, err := c.Wait()
	require.NoError(k, err)
	require.Equal(k, 128+int(syscall.SIGKILL), exit.Status())
	require.NoError(k, c.Remove())
	k.kills++
	k.compare("payload killed after", len(c.Plan))
}

// compare looks whether the machine is what it was.
func (k *killer) compare(what string, step int) {
	k.Helper()
	var left []string
	for deadline := time.Now().Add(time.Second); ; time.Sleep(time.Millisecond) {
		reap()
		left = k.before.leaks(lookAround(k.T, k.l))
		if len(left) == 0 || time.Now().After(deadline) {
			break
		}
	}
	require.Empty(k, left, "%s step %d", what, step)
}

// reap collects the children that have ended.
func reap() {
	for {
		if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); err != nil || pid <= 0 {
			return
		}
	}
}
