package stages

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// lookPids has a fork bomb stopped.
func lookPids(l *Look) {
	most := l.Container.Spec.Linux.Resources.PidsMax
	l.Note("now a small fork bomb: 100 children where %d processes are allowed; it gets EAGAIN, on purpose. The PID namespace alone would not stop it", most)
	const counted = "pids.events max"
	l.Effect("probe fork 100", "refused at the limit, and the machine is well", []string{counted}, func(o Out, e effect) bool {
		var forked, of int64
		_, err := fmt.Sscanf(o.Text, "forked %d of %d,", &forked, &of)
		return err == nil && o.Status == 1 && o.Has("EAGAIN") && forked < most && forked > most/2 && e.rise(counted) > 0
	})
}

// lookQuota computes with a tenth of a processor.
func lookQuota(l *Look) {
	const period = 100000 // microseconds
	quota, tenth, before := l.groupFile("cpu", "cpu.max", "cpu.cfs_quota_us"), fmt.Sprint(period/10), "100000"
	if l.v2() {
		tenth += fmt.Sprint(" ", period)
		before = l.Container.Spec.Linux.Resources.CPUMax
	}
	l.Set(quota, tenth, "10 ms of processor time in each 100 ms", "cpu.max")
	const counted = "cpu.stat nr_throttled"
	// Where others leave it less than its tenth, the quota is hardly ever used up.
	l.Steady([]string{"probe spin 0.05", "probe spin 0.15", "probe spin 0.45"}, "out of time in each period, it waited for the next", []string{counted, throttledTime},
		func(o Out, e effect) bool {
			var used, took float64
			_, err := fmt.Sscanf(o.Text, "%f s of processor time in %f s", &used, &took)
			return err == nil && took > 4*used && e.rise(counted) >= 2
		})
	l.back(quota, before)
}

// lookPressure reads how long the group had to wait.
func lookPressure(l *Look) {
	if !l.v2() {
		l.Note("not shown: how long the group waited for what it lacked (pressure, PSI). Each group has that with cgroup v2 only, and this machine's controllers are v1's")
		return
	}
	file := l.groupFile("cpu", "cpu.pressure", "")
	if _, err := os.ReadFile(file); err != nil {
		l.Note("not shown: pressure (PSI); this kernel was built or started without it (psi=1): %v", err)
		return
	}
	l.Outside("head -n 1 "+l.groupName(file), "total: microseconds it waited for the processor", readLine(file, "some"),
		func(text string) bool { return count(text) > 0 })
}

// lookNeighbour has a second container want the same processor, and the same
// memory as before.
func lookNeighbour(ctx context.Context, l *Look) {
	spec := l.Again()
	spec.Linux.Resources.CPUWeight *= 3
	l.Note("now a second container with three times the weight: both are to want one processor at the same time")
	second, err := l.Start(ctx, spec)
	if !l.started(err) {
		return
	}
	defer l.ended(second)
	l.onOneProcessor()
	second.onOneProcessor()
	lookWeight(l, second)
	lookGroupKill(second)
}

// lookWeight measures what two groups get of one processor, and one alone.
func lookWeight(l, second *Look) {
	var c contest
	for i, seconds := range windows {
		if i > 0 {
			l.onceMore()
		}
		if c = compete(l, second, seconds); c.err != nil || c.fair() {
			break
		}
	}
	if c.err != nil {
		l.failed(c.command, c.err)
		return
	}
	weights := l.weights() + " and " + second.weights()
	l.report(l.inside(), c.command, c.first, "the smaller share", percent(c.first) > 0)
	second.report(second.inside(), c.command, c.second, "about three times as much, as the weights are: "+weights, c.fair())
	lookAlone(l, percent(c.first))
}

// lookAlone has the container compute alone: it takes more than its share was
// before. Where others of the machine want the processor by now, it still takes
// what they leave: the processor is never idle, and no quota holds the group up.
func lookAlone(l *Look, share float64) {
	commands := make([]string, len(windows))
	for i, seconds := range windows {
		commands[i] = fmt.Sprintf("probe share %.1f", seconds)
	}
	idle := l.idle()
	l.Steady(commands, "alone, the same weight takes all that others leave: it caps nothing", []string{throttledTime}, func(o Out, e effect) bool {
		before := idle
		idle = l.idle()
		most := took(o) / 5
		held := time.Duration(e.rise(throttledTime)) * time.Microsecond
		return percent(o) > 1.7*share || percent(o) > 0 && idle-before < most && held < most
	})
}

// onOneProcessor binds the shell inside, and what it starts from now on, to one
// processor. The kernel divides a group's weight among the processors the group
// has work on, so whoever slept on another one a moment ago would lose most of
// it: calc_group_shares, kernel/sched/fair.c.
func (l *Look) onOneProcessor() {
	n, err := l.firstProcessor()
	if err != nil {
		l.failed("taskset", err)
		return
	}
	l.Inside(fmt.Sprintf("taskset -p %x 1", uint64(1)<<n), "it stays on one processor: a group's weight is divided among all it has work on", done)
}

// firstProcessor is the number of the first one that the payload may use.
func (l *Look) firstProcessor() (n int, err error) {
	allowed, err := readLine(l.proc("status"), "Cpus_allowed_list:")()
	if err == nil {
		_, err = fmt.Sscanf(allowed, "Cpus_allowed_list: %d", &n)
	}
	return n, err
}

// idle is for how long the first processor the container may use has had nothing
// to do since the machine was started: proc_stat(5), in ticks of 10 ms.
func (l *Look) idle() time.Duration {
	n, err := l.firstProcessor()
	if err != nil {
		return 0
	}
	times, err := readLine("/proc/stat", fmt.Sprintf("cpu%d ", n))()
	var user, nice, system, ticks time.Duration
	if _, scanned := fmt.Sscanf(times, fmt.Sprintf("cpu%d ", n)+"%d %d %d %d", &user, &nice, &system, &ticks); err != nil || scanned != nil {
		return 0
	}
	return ticks * 10 * time.Millisecond
}

// throttledTime is for how long a quota has held the group up, in microseconds.
const throttledTime = "cpu.stat throttled_usec"

// windows are for how long a share is measured, in seconds: on a busy machine
// there are few turns to have in a short time, so a result that says nothing is
// measured again.
var windows = []float64{0.4, 1.2, 3.6}

// contest is two containers computing on the same processor for the same time.
type contest struct {
	command       string
	first, second Out
	err           error
}

func compete(l, second *Look, seconds float64) contest {
	// Time for both programs to start, also where the machine is emulated or busy.
	begin := time.Now().Add(max(400*time.Millisecond, time.Duration(seconds*float64(time.Second))/3))
	c := contest{command: fmt.Sprintf("probe share %.1f %d.%03d", seconds, begin.Unix(), begin.Nanosecond()/1e6)}
	answered := make(chan answer, 1)
	go func() {
		out, err := second.run(c.command)
		answered <- answer{out, err}
	}()
	var err error
	c.first, err = l.run(c.command)
	other := <-answered
	c.second, c.err = other.out, errors.Join(err, other.err)
	return c
}

// fair reports whether three times the weight had about three times as much.
func (c contest) fair() bool {
	ratio := percent(c.second) / percent(c.first)
	return ratio > 1.7 && ratio < 5
}

// percent reads what probe share prints.
func percent(o Out) float64 {
	var n float64
	if _, err := fmt.Sscanf(o.Text, "%f %%", &n); err != nil {
		return 0
	}
	return n
}

// took reads for how long probe share has computed.
func took(o Out) time.Duration {
	var share, seconds float64
	if _, err := fmt.Sscanf(o.Text, "%f %% of a processor for %f s", &share, &seconds); err != nil {
		return 0
	}
	return time.Duration(seconds * float64(time.Second))
}

// weights reads the group's weight or, on v1, its shares.
func (l *Look) weights() string {
	text, err := readFile(l.groupFile("cpu", "cpu.weight", "cpu.shares"))()
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(text)
}
