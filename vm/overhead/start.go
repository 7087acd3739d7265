package overhead

import (
	"context"
	"time"
)

// rest is the time before the start of a container: a person starts them one by
// one, and the kernel's work for the one before is over by then. For a process, or
// a machine, there is less to be waited for.
const rest = 40 * time.Millisecond

// starting measures how long it takes until a program runs, and until all is over:
// from right before fork(2) of the tool, or the start of QEMU, until the first
// line that the program writes has arrived here; and until the tool has ended.
var starting = experiment{
	group: "start",
	boots: true,
	measures: []Measure{
		{Key: "start.first", Title: "start to first instruction", Unit: "ms",
			Means: "From the start of the tool, or of QEMU, until the first line of the same small program (busybox echo) has arrived: how long somebody waits for a container or a machine to do something.",
			Not:   "It holds the program's own start, a third of a millisecond, and the way of the line back to us. It says nothing of pulling an image, nor of a service that has to warm up. Each start of a container has 40 ms of rest before it; right after another one it is faster."},
		{Key: "start.exit", Title: "start to exit", Unit: "ms",
			Means: "From the start of the tool until it has ended and taken down what it made.",
			Not:   "A microVM is switched off like a lamp, so its end costs nothing; a machine with something to lose would shut down first."},
	},
	subjects: func(_ context.Context, _ *bench, all []Contender) (subjects []subject, _ []Absent) {
		for _, c := range all {
			subjects = append(subjects, subject{name: c.Name, kind: c.Kind, slow: c.slow, trial: func(ctx context.Context) (map[string]float64, error) {
				if c.Kind == Container {
					time.Sleep(rest)
				} else {
					time.Sleep(rest / 4)
				}
				i, err := c.start(ctx, hello...)
				if err != nil {
					return nil, err
				}
				first, err := i.first()
				if _, endErr := i.output(); err == nil {
					err = endErr
				}
				if err != nil {
					return nil, err
				}
				return map[string]float64{"start.first": millis(first), "start.exit": millis(time.Since(i.begun))}, nil
			}})
		}
		return subjects, nil
	},
}

// millis is a duration in milliseconds.
func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
