package overhead

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"cutaway/sandbox"
	"cutaway/sandbox/trace"
)

// Options say what to measure, and how often.
type Options struct {
	Only    []string // groups; none is all
	Program string   // cutaway's own file
	Init    string   // what a microVM gets as its first process; "" is this program
	InHost  bool     // the run may change this machine's network while it lasts
	Quick   bool
	FullVM  string // a box made by vm/box.sh; "" is the one beside the program, if any
	Passes  int    // how often all experiments are gone through
	Rounds  int    // runs of each subject in a pass
	Boots   int    // of those, how many boot a machine
	// Limit ends the run early, after a round: what is there then is the result.
	Limit time.Duration
	About trace.Conditions
	// Fetching is told how far a kernel is that has to be fetched; Told how the run goes.
	Fetching func(doing string, percent float64)
	Told     func(Progress)
}

// The two lengths of a run: a quarter of an hour, and a minute and a half.
func (o Options) filled() Options {
	full := Options{Passes: 6, Rounds: 10, Boots: 2, Limit: 13 * time.Minute}
	if o.Quick {
		// Many short passes: where the time does not suffice for all of them, there is
		// something of everything.
		full = Options{Passes: 5, Rounds: 4, Boots: 1, Limit: 74 * time.Second}
	}
	if o.Passes == 0 {
		o.Passes, o.Rounds, o.Boots = full.Passes, full.Rounds, full.Boots
	}
	if o.Limit == 0 {
		o.Limit = full.Limit
	}
	return o
}

// rounds is how many runs an experiment has in a pass.
func (o Options) rounds(e experiment, pass int) int {
	switch {
	case !e.rarely:
		return o.Rounds
	case o.Quick && pass > 0:
		return 0
	}
	return 1
}

// until is when a round of an experiment may still begin, from the start of the run.
func (o Options) until(e experiment, pass int) time.Duration {
	switch {
	case e.rarely && o.Quick: // whose rounds are long
		return o.Limit * 6 / 10
	case pass == 0: // so that there is something of everything
		return o.Limit * 9 / 8
	}
	return o.Limit
}

// Progress is how far a run is.
type Progress struct {
	Group       string
	Done, Of    float64 // rounds, of all that are planned
	Elapsed     time.Duration
	Result      *Result // so far; valid during the call
	Preparation string  // what is done before the first round, "" later
}

// Run measures. With an error, or when ctx ends, nothing is left behind.
func Run(ctx context.Context, l *sandbox.Lab, o Options) (_ *Result, err error) {
	o = o.filled()
	r := &runner{options: o, begun: time.Now(), result: newResult(o)}
	r.tell(Progress{Preparation: "unpacking the root filesystem, looking for contenders"})
	if r.bench, err = newBench(ctx, l, o); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.bench.end()) }()
	found, missing := r.bench.contenders(ctx)
	r.result.contenders(found, missing)
	if err := r.open(ctx, found); err != nil {
		return nil, err
	}
	for pass := range o.Passes {
		for _, g := range r.order() {
			if err := r.pass(ctx, g, pass); err != nil {
				return nil, err
			}
		}
	}
	for _, g := range r.groups {
		if len(g.subjects) > 0 && r.result.taken(g.group) == 0 {
			r.result.miss(g.group, "the time was up before it was its turn")
		}
	}
	r.result.Conditions.LoadAfter = load()
	r.result.Conditions.Took = time.Since(r.begun).Round(time.Second).String()
	return r.result, ctx.Err()
}

// runner is a run under way.
type runner struct {
	options Options
	bench   *bench
	begun   time.Time
	result  *Result
	groups  []*group
	rounds  int // done, over all groups
}

// group is an experiment with what it is about here.
type group struct {
	experiment
	subjects []subject
}

// open prepares all experiments: machines are booted, and each subject has one
// run that is not counted, which fills caches; where that would boot a machine it
// is spared if time is short, as those that stay have been booted by then.
func (r *runner) open(ctx context.Context, found []Contender) error {
	for _, e := range chosen(r.options.Only) {
		r.tell(Progress{Preparation: "warming up: " + e.group})
		subjects, missing := e.subjects(ctx, r.bench, found)
		for _, m := range missing {
			r.result.miss(m.Name+": "+e.group, m.Why)
		}
		g := &group{experiment: e}
		for _, s := range subjects {
			if e.rarely || e.boots && (s.slow || r.options.Quick && s.kind == Machine) {
				g.subjects = append(g.subjects, s)
				continue
			}
			if _, err := s.trial(ctx); err != nil {
				if ctx.Err() == nil {
					r.result.miss(s.name+": "+e.group, oneLine(err))
				}
				continue
			}
			g.subjects = append(g.subjects, s)
		}
		r.groups = append(r.groups, g)
		r.result.expect(e.measures, g.subjects)
	}
	return ctx.Err()
}

// order draws the order of the groups in a pass. Those with a single long round
// come last.
func (r *runner) order() []*group {
	groups := slices.Clone(r.groups)
	rand.Shuffle(len(groups), func(i, j int) { groups[i], groups[j] = groups[j], groups[i] })
	slices.SortStableFunc(groups, func(a, b *group) int {
		switch {
		case a.rarely == b.rarely:
			return 0
		case a.rarely:
			return 1
		}
		return -1
	})
	return groups
}

// pass runs each subject of a group a few times, each round in an order drawn
// anew, so that nobody always follows the same other one.
func (r *runner) pass(ctx context.Context, g *group, pass int) error {
	const most = 2 // runs that may fail; then it will not be better the next time
	rounds := r.options.rounds(g.experiment, pass)
	for round := range rounds {
		if time.Since(r.begun) > r.options.until(g.experiment, pass) {
			r.result.cut()
			return nil
		}
		for _, n := range rand.Perm(len(g.subjects)) {
			s := g.subjects[n]
			if s.trial == nil || r.spared(g, s, pass, round) {
				continue
			}
			others := running()
			values, err := s.trial(ctx)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				r.result.miss(s.name+": "+g.group, "a run after others: "+oneLine(err))
				if g.subjects[n].fails++; g.subjects[n].fails == most {
					g.subjects[n].trial = nil
				}
				continue
			}
			r.result.add(s, values, pass, others)
		}
		r.rounds++
		r.tell(Progress{Group: g.group})
	}
	return nil
}

// spared reports whether a subject sits this round out: machines take part in few
// of those that boot them; slow ones, and in a quick run all, only in the first
// passes.
func (r *runner) spared(g *group, s subject, pass, round int) bool {
	switch {
	case !g.boots || s.kind != Machine:
		return false
	case s.slow:
		return round > 0 || pass >= slowRuns || g.rarely && pass > 0
	case g.rarely:
		return false
	case r.options.Quick && (pass >= slowRuns || pass > 0 && g.group == memory.group):
		return true
	}
	return round*r.options.Boots%r.options.Rounds >= r.options.Boots
}

// slowRuns is how often a slow machine is booted for a measure, and any in a quick
// run.
const slowRuns = 2

// tell tells how far the run is.
func (r *runner) tell(p Progress) {
	if r.options.Told == nil {
		return
	}
	for _, e := range chosen(r.options.Only) {
		for pass := range r.options.Passes {
			p.Of += float64(r.options.rounds(e, pass))
		}
	}
	p.Done, p.Elapsed, p.Result = float64(r.rounds), time.Since(r.begun), r.result
	r.options.Told(p)
}

// running is how many others want a processor right now: proc_loadavg(5), the
// fourth field, without us. It is read while nothing of ours is under way.
func running() int {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	n := 0
	if f := strings.Fields(string(text)); len(f) > 3 {
		_, _ = fmt.Sscanf(f[3], "%d/", &n) // 0 if the kernel changes its mind about the format
	}
	return max(0, n-1)
}

// load is the load average of the last minute, five and fifteen.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	f := strings.Fields(string(text))
	return strings.Join(f[:min(3, len(f))], " ")
}

// quiet runs a command that must succeed; what it says is part of the error.
func quiet(ctx context.Context, args ...string) error {
	out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", args[0], err, lastLine(string(out)))
	}
	return nil
}

// Unknown gives those of words that are none of the groups.
func Unknown(words []string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(w string) bool { return slices.Contains(Groups(), w) })
}
