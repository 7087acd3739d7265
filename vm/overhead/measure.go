package overhead

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

// Measure is one number that is taken of each contender.
type Measure struct {
	Key   string // "start.first"; what is before the dot is its group
	Title string
	Unit  string
	More  bool // more is better
	// Base is the subject that the others are compared with; "" is the bare process.
	Base string
	// Bound is where counting stopped: a value as great means at least that.
	Bound float64
	// Means and Not say what a reader may conclude from it, and what not.
	Means, Not string
}

// base is the subject that the others are compared with.
func (m Measure) base() string { return cmp.Or(m.Base, baseline) }

// Group is the word for --only.
func (m Measure) Group() string { group, _, _ := strings.Cut(m.Key, "."); return group }

// subject is what one row of a measure is about: a contender, or a path for bytes.
type subject struct {
	name  string
	kind  Kind
	slow  bool                                              // takes part only now and then where it boots
	trial func(context.Context) (map[string]float64, error) // values by the keys of measures
	fails int                                               // runs of it that came to nothing
}

// experiment takes the measures of one group.
type experiment struct {
	group    string
	measures []Measure
	// subjects says what is measured, and what cannot be.
	subjects func(context.Context, *bench, []Contender) ([]subject, []Absent)
	// rarely is set where every run gives nearly the same, or takes long: one is made
	// in each pass, none before for warmth; of a quick run in the first pass only.
	rarely bool
	// boots says that each run boots a machine, of which there are then fewer.
	boots bool
}

// experiments are all there are, in the order in which they are shown.
var experiments = []experiment{starting, memory, disk, processor, calls, network, files, density}

// Measures lists all measures in the order of a table.
func Measures() (all []Measure) {
	for _, e := range experiments {
		all = append(all, e.measures...)
	}
	return all
}

// MeasureOf gives a measure by its key.
func MeasureOf(key string) (Measure, bool) {
	for _, m := range Measures() {
		if m.Key == key {
			return m, true
		}
	}
	return Measure{}, false
}

// Groups are the words for --only.
func Groups() (words []string) {
	for _, e := range experiments {
		words = append(words, e.group)
	}
	return words
}

// chosen picks experiments by their groups; none named is all of them.
func chosen(only []string) []experiment {
	if len(only) == 0 {
		return experiments
	}
	return slices.DeleteFunc(slices.Clone(experiments), func(e experiment) bool { return !slices.Contains(only, e.group) })
}

// inside makes an experiment's subjects of what a program inside prints: a name
// and a number a line, which unit turns into the measure's unit.
func inside(fits func(Contender) bool, units map[string]func(float64) float64, args ...string) func(context.Context, *bench, []Contender) ([]subject, []Absent) {
	return func(ctx context.Context, b *bench, all []Contender) (subjects []subject, missing []Absent) {
		for _, c := range all {
			if !fits(c) {
				continue
			}
			r, err := b.room(ctx, c)
			if err != nil {
				missing = append(missing, Absent{c.Name, oneLine(err)})
				continue
			}
			subjects = append(subjects, subject{name: c.Name, kind: c.Kind, trial: func(ctx context.Context) (map[string]float64, error) {
				text, err := r.run(ctx, args...)
				if err != nil {
					return nil, err
				}
				return numbers(text, units)
			}})
		}
		return subjects, missing
	}
}

// numbers reads the lines "NAME NUMBER"; units says which are wanted, under which
// key.
func numbers(text string, units map[string]func(float64) float64) (map[string]float64, error) {
	values := map[string]float64{}
	for line := range strings.Lines(text) {
		var name string
		var n float64
		if _, err := fmt.Sscanf(line, "%s %g", &name, &n); err != nil {
			continue
		}
		for key, unit := range units {
			if strings.HasSuffix(key, "."+name) {
				values[key] = unit(n)
			}
		}
	}
	if len(values) != len(units) {
		return nil, fmt.Errorf("read what the probe printed: %d of %d numbers in %q", len(values), len(units), text)
	}
	return values, nil
}

// computing picks those in which it is worth running something to see how fast it
// is: a network slows down nothing that does not use it.
func computing(c Contender) bool { return whole(c) && c.Name != "cutaway+net" }

// whole picks contenders in which a program is worth running to see how fast it
// is: one wall alone slows nothing down that is not measured where it is built.
func whole(c Contender) bool { return c.Kind != Wall }

// Units of what the probe prints: nanoseconds, and bytes a second.
func toMillis(n float64) float64 { return n / 1e6 }
func toMicros(n float64) float64 { return n / 1e3 }
func toMiB(n float64) float64    { return n / (1 << 20) }
func asItIs(n float64) float64   { return n }
