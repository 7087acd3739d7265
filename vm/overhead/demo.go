package overhead

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"cutaway/sandbox"
)

// Demonstration is a short show for a lecture.
type Demonstration struct {
	Name, Short string
	// show runs it; v draws what changes while it does.
	show func(ctx context.Context, b *bench, w io.Writer, v View) error
}

// View draws lines over those it has drawn before; nil draws nothing.
type View func(lines []string)

// Demonstrations are all there are.
var Demonstrations = []Demonstration{
	{"start", "ten containers and one VM starting side by side", showStart},
	{"memory", "what each further process, container and VM adds", showMemory},
	{"kernel", "one kernel in containers, another in the VM", showKernel},
	{"isolation", "what containers see of each other, and a VM does not; it does no harm", showIsolation},
	{"disk", "what a second container takes on the disk, and a changed file", showDisk},
}

// Show runs a demonstration and leaves nothing behind.
func (d Demonstration) Show(ctx context.Context, l *sandbox.Lab, o Options, w io.Writer, v View) (err error) {
	if v == nil {
		v = func([]string) {}
	}
	b, err := newBench(ctx, l, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.end()) }()
	return errors.Join(d.show(ctx, b, w, v), ctx.Err())
}

// cast finds the contenders of a demonstration; the microVM may be missing, which
// is said, the container may not.
func (b *bench) cast(ctx context.Context, w io.Writer, names ...string) (map[string]Contender, error) {
	found, missing := b.contenders(ctx, names...)
	all := map[string]Contender{}
	for _, c := range found {
		all[c.Name] = c
	}
	for _, m := range missing {
		if m.Name == "cutaway" {
			return nil, fmt.Errorf("start a container: %s", m.Why)
		}
		fmt.Fprintf(w, " without the %s: %s\n", m.Name, m.Why)
	}
	return all, ctx.Err()
}

// starter is one that starts in showStart.
type starter struct {
	Contender
	name string
	took time.Duration
	err  error
}

// arrival is the first line of one of them, or why there is none.
type arrival struct {
	n    int
	took time.Duration
	err  error
}

// showStart starts ten containers and a machine at the same moment.
func showStart(ctx context.Context, b *bench, w io.Writer, v View) error {
	const containers = 10
	cast, err := b.cast(ctx, w, "cutaway", "microVM")
	if err != nil {
		return err
	}
	var all []*starter
	for n := range containers {
		all = append(all, &starter{Contender: cast["cutaway"], name: fmt.Sprintf("container %d", n+1)})
	}
	if c, is := cast["microVM"]; is {
		all = append(all, &starter{Contender: c, name: "microVM"})
	}
	begin := time.Now()
	here, over := make(chan arrival), make(chan error, len(all))
	for n, s := range all {
		go func() {
			i, err := s.start(ctx, idle...)
			if err == nil {
				_, err = i.first()
			}
			here <- arrival{n, time.Since(begin), err}
			if i != nil {
				err = errors.Join(err, i.end())
			}
			over <- err
		}()
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for left := len(all); left > 0; {
		select {
		case a := <-here:
			left--
			all[a.n].took, all[a.n].err = a.took, a.err
		case <-tick.C:
		}
		v(race(all, time.Since(begin)))
	}
	var failed error
	for range all {
		failed = errors.Join(failed, <-over)
	}
	v(nil)
	fmt.Fprintln(w, strings.Join(race(all, time.Since(begin)), "\n"))
	return failed
}

// race is the picture of who is there already.
func race(all []*starter, now time.Duration) []string {
	const width = 40
	longest := now
	for _, s := range all {
		longest = max(longest, s.took)
	}
	lines := []string{" started at the same moment, until the first line of a program inside"}
	for _, s := range all {
		took, text := s.took, ""
		switch {
		case s.err != nil:
			text = oneLine(s.err)
		case took == 0:
			took, text = now, "..."
		default:
			text = fmt.Sprintf("%6.0f ms", millis(took))
		}
		lines = append(lines, cut(fmt.Sprintf("   %-13s %-*s %s", s.name, width, strings.Repeat("=", max(1, int(width*took/longest))), text), 80))
	}
	return lines
}
