package overhead

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Summary describes samples of one thing: the middle, the quarters around it, and
// where the median would lie if the same were measured again.
type Summary struct {
	N        int     `json:"n"`
	Median   float64 `json:"median"`
	Q1       float64 `json:"q1"`
	Q3       float64 `json:"q3"`
	Low      float64 `json:"low"` // of the 95% interval of the median
	High     float64 `json:"high"`
	Least    float64 `json:"least"`
	Greatest float64 `json:"greatest"`
}

// resamples is how many times the bootstrap draws; the ends of a 95% interval
// then rest on fifty of them each.
const resamples = 2000

// few is the number of samples below which there is no saying where a median would
// lie; the interval is then their range.
const few = 5

// Quantile gives the value below which a share q of sorted values lies, between
// neighbours by interpolation (Hyndman and Fan 1996, definition 7). Of nothing it
// is NaN.
func Quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := min(max(q, 0), 1) * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// Median is the middle of values, sorted or not.
func Median(values []float64) float64 { return Quantile(slices.Sorted(slices.Values(values)), 0.5) }

// Summarize describes samples that were taken in passes, one list each. The
// interval is a bootstrap percentile interval in two steps (Davison and Hinkley
// 1997, section 3.8): passes are drawn with replacement, and from each of them
// samples. A machine that is slower for a minute shifts a whole pass, which then
// widens the interval; drawing from all samples alike would hide it. seed makes
// the same samples give the same interval.
func Summarize(passes [][]float64, seed uint64) Summary {
	passes = slices.DeleteFunc(slices.Clone(passes), func(p []float64) bool { return len(p) == 0 })
	all := slices.Concat(passes...)
	slices.Sort(all)
	s := Summary{N: len(all), Median: Quantile(all, 0.5), Q1: Quantile(all, 0.25), Q3: Quantile(all, 0.75),
		Low: math.NaN(), High: math.NaN(), Least: Quantile(all, 0), Greatest: Quantile(all, 1)}
	if len(all) < few {
		s.Low, s.High = s.Least, s.Greatest
		return s
	}
	random := rand.New(rand.NewPCG(seed, uint64(len(all))))
	medians := make([]float64, resamples)
	drawn := make([]float64, 0, 2*len(all))
	for i := range medians {
		drawn = drawn[:0]
		for range passes {
			pass := passes[random.IntN(len(passes))]
			for range pass {
				drawn = append(drawn, pass[random.IntN(len(pass))])
			}
		}
		slices.Sort(drawn)
		medians[i] = Quantile(drawn, 0.5)
	}
	slices.Sort(medians)
	s.Low, s.High = Quantile(medians, 0.025), Quantile(medians, 0.975)
	return s
}

// same is by how much of themselves two medians may differ that agree although
// neither has an interval worth the name: sizes that are the same each time.
const same = 0.01

// Agree reports whether the intervals of two summaries have a value in common, or
// their medians are nearly the same.
func (s Summary) Agree(t Summary) bool {
	return s.Low <= t.High && t.Low <= s.High || math.Abs(s.Median-t.Median) <= same*math.Abs(s.Median+t.Median)/2
}

// Width is how wide the interval is, as a share of the median.
func (s Summary) Width() float64 { return (s.High - s.Low) / s.Median }
