package overhead

import (
	"fmt"
	"runtime"
	"slices"
)

// processors is how many there are to be had.
func processors() int { return runtime.NumCPU() }

// enough is how many runs without others are needed to say how intervals would be
// without them.
const enough = 10

// load says how busy the machine was with others, and what that did to the
// intervals.
func (r *Result) load() string {
	c := r.Conditions
	text := "average " + c.LoadBefore + " before"
	if c.LoadAfter != "" {
		text += ", " + c.LoadAfter + " after (the last includes this run)"
	}
	text += fmt.Sprintf(", on %d processors", c.Processors)
	disturbed, all, widths := 0, 0, []float64{}
	for _, s := range r.Series {
		calm := 0
		for _, one := range s.Samples {
			all++
			if one.Others > 0 {
				disturbed++
			} else {
				calm++
			}
		}
		if calm >= enough && calm < len(s.Samples) {
			if w := s.summary(func(one Sample) bool { return one.Others == 0 }).Width(); w > 0 {
				widths = append(widths, s.Summary().Width()/w)
			}
		}
	}
	if all == 0 {
		return text
	}
	share := 100 * disturbed / all
	switch {
	case disturbed == 0:
		return text + "; nobody else wanted a processor when a run began"
	case len(widths) == 0:
		return text + fmt.Sprintf("; others wanted a processor at the beginning of %d %% of the runs, so many that nothing is left to compare with: the intervals are wider than on a machine that is left alone", share)
	}
	slices.Sort(widths)
	return text + fmt.Sprintf("; others wanted a processor at the beginning of %d %% of the runs, and the intervals are %.2f times as wide as those of the other runs alone (median of %d)",
		share, Quantile(widths, 0.5), len(widths))
}
