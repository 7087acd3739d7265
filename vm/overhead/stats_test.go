package overhead

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/quick"

	"github.com/stretchr/testify/require"
)

// tame makes of what quick draws numbers whose sums mean something.
func tame(values []float64) []float64 {
	out := make([]float64, 0, len(values))
	for _, v := range values {
		out = append(out, math.Mod(v, 1e6))
	}
	return out
}

// holds checks a property of lists of at least one number.
func holds(t *testing.T, property func(values []float64) bool) {
	t.Helper()
	require.NoError(t, quick.Check(func(first float64, rest []float64) bool {
		return property(tame(append(rest, first)))
	}, &quick.Config{MaxCount: 60}))
}

func TestQuantileIsWithinAndGrows(t *testing.T) {
	holds(t, func(v []float64) bool {
		slices.Sort(v)
		last := v[0]
		for q := 0.0; q <= 1; q += 0.05 {
			x := Quantile(v, q)
			if x < last || x > v[len(v)-1] {
				return false
			}
			last = x
		}
		return Quantile(v, 0) == v[0] && Quantile(v, 1) == v[len(v)-1]
	})
}

// At most half of the values are below the median and at most half above.
func TestMedianHalves(t *testing.T) {
	holds(t, func(v []float64) bool {
		m, below, above := Median(v), 0, 0
		for _, x := range v {
			if x < m {
				below++
			}
			if x > m {
				above++
			}
		}
		return 2*below <= len(v) && 2*above <= len(v)
	})
}

func TestSummaryIsInOrder(t *testing.T) {
	holds(t, func(v []float64) bool {
		s := Summarize([][]float64{v}, 1)
		return s.N == len(v) && s.Least <= s.Q1 && s.Q1 <= s.Median && s.Median <= s.Q3 && s.Q3 <= s.Greatest &&
			s.Least <= s.Low && s.Low <= s.High && s.High <= s.Greatest
	})
}

// Neither the order of samples within a pass nor the unit they are in matters.
func TestSummaryScales(t *testing.T) {
	holds(t, func(v []float64) bool {
		s := Summarize([][]float64{v}, 7)
		const factor = 4 // exact in binary
		scaled := make([]float64, len(v))
		for i, x := range v {
			scaled[i] = factor * x
		}
		u := Summarize([][]float64{scaled}, 7)
		return u.Median == factor*s.Median && u.Low == factor*s.Low && u.High == factor*s.High &&
			s == Summarize([][]float64{v}, 7)
	})
}

func TestNothing(t *testing.T) {
	s := Summarize(nil, 1)
	require.Zero(t, s.N)
	require.True(t, math.IsNaN(s.Median) && math.IsNaN(s.Low))
	require.False(t, s.Agree(s), "what was not measured agrees with nothing")
}

// A constant has an interval of no width.
func TestConstant(t *testing.T) {
	s := Summarize([][]float64{{3, 3, 3}, {3, 3}}, 1)
	require.Equal(t, Summary{N: 5, Median: 3, Q1: 3, Q3: 3, Low: 3, High: 3, Least: 3, Greatest: 3}, s)
}

// Of a known distribution, 95% intervals contain the true median that often.
func TestIntervalCovers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const trials = 400
	covered := 0
	for i := range trials {
		v := make([]float64, 40)
		for j := range v {
			v[j] = math.Exp(random.NormFloat64()) // skewed, as times are; its median is 1
		}
		if s := Summarize([][]float64{v}, uint64(i)); s.Low <= 1 && 1 <= s.High {
			covered++
		}
	}
	require.InDelta(t, 0.95, float64(covered)/trials, 0.035)
}

// Passes that differ more than their samples do widen the interval; mixing the
// same samples up would hide that.
func TestDriftWidens(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var passes [][]float64
	for p := range 4 {
		var pass []float64
		for range 10 {
			pass = append(pass, 100+20*float64(p)+random.NormFloat64())
		}
		passes = append(passes, pass)
	}
	apart := Summarize(passes, 1)
	mixed := Summarize([][]float64{slices.Concat(passes...)}, 1)
	require.Greater(t, apart.Width(), 1.2*mixed.Width())
}

func TestAgree(t *testing.T) {
	require.NoError(t, quick.Check(func(a, b, c, d float64) bool {
		s, u := Summary{Low: min(a, b), High: max(a, b), Median: 1}, Summary{Low: min(c, d), High: max(c, d), Median: 2}
		return s.Agree(u) == u.Agree(s) && s.Agree(s) && s.Agree(u) == !(s.High < u.Low || u.High < s.Low)
	}, nil))
	require.True(t, Summarize([][]float64{{1000}}, 1).Agree(Summarize([][]float64{{1009}}, 1)), "sizes within a hundredth")
	require.False(t, Summarize([][]float64{{1000}}, 1).Agree(Summarize([][]float64{{1011}}, 1)))
}
