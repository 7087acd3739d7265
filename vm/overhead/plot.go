package overhead

import (
	"fmt"
	"html/template"
	"math"
)

// Where things are in a plot, in pixels of a picture 720 wide.
const (
	plotWidth = 720
	plotLeft  = 150 // names are left of it
	plotRight = 620 // numbers are right of it
	rowHeight = 26
	plotTop   = 22
)

// plot is a picture of distributions: a row for each subject, a dot for each
// sample, a box over the middle half, a line at the median, and the interval of
// the median below.
type plot struct {
	Rows          []plotRow
	Ticks         []tick
	Width, Height int
	Left, Right   int
	Says          string // for who cannot see it
	Log           bool
}

type plotRow struct {
	Name, Class, Value string
	Y                  int
	Dots               []dot
	Box, Interval      [2]float64 // from, width
	Median             float64
}

type dot struct{ X, Y float64 }

type tick struct {
	X    float64
	Text string
}

// named values of one row.
type distribution struct {
	name   string
	kind   Kind
	values []float64
	Summary
}

// plotOf draws distributions on one axis: a logarithmic one if they are far apart.
func plotOf(m Measure, all []distribution) *plot {
	least, greatest := math.Inf(1), math.Inf(-1)
	for _, d := range all {
		least, greatest = min(least, d.Least), max(greatest, d.Greatest)
	}
	a := axisFor(least, greatest)
	p := &plot{Width: plotWidth, Height: plotTop + rowHeight*len(all) + 26, Left: plotLeft, Right: plotRight, Log: a.log, Ticks: a.ticks(),
		Says: m.Title + " in " + m.Unit + ". "}
	for n, d := range all {
		y := plotTop + rowHeight*n + rowHeight/2
		row := plotRow{Name: d.name, Class: string(d.kind), Value: m.number(d.Median), Y: y, Median: a.at(d.Median),
			Box: a.span(d.Q1, d.Q3), Interval: a.span(d.Low, d.High)}
		for i, v := range d.values {
			// Neighbours in time are spread, so that those of the same value do not hide each other.
			row.Dots = append(row.Dots, dot{a.at(v), float64(y-5) + float64(i*7%11)})
		}
		p.Rows = append(p.Rows, row)
		p.Says += fmt.Sprintf("%s: median %s. ", d.name, m.number(d.Median))
	}
	return p
}

// axis turns values into places.
type axis struct {
	low, high float64
	log       bool
}

// farApart is the ratio from which a logarithmic axis shows more.
const farApart = 20

func axisFor(least, greatest float64) axis {
	if least > 0 && greatest/least > farApart {
		return axis{math.Pow(10, math.Floor(math.Log10(least))), math.Pow(10, math.Ceil(math.Log10(greatest))), true}
	}
	high := greatest
	if high <= 0 {
		high = 1
	}
	return axis{min(0, least), high * 1.05, false}
}

func (a axis) at(v float64) float64 {
	share := (v - a.low) / (a.high - a.low)
	if a.log {
		share = math.Log(v/a.low) / math.Log(a.high/a.low)
	}
	return math.Round((plotLeft+share*(plotRight-plotLeft))*10) / 10
}

// span is where a bar begins and how long it is; never too short to be seen.
func (a axis) span(from, to float64) [2]float64 {
	begin, end := a.at(from), a.at(to)
	return [2]float64{begin, max(end-begin, 1)}
}

// ticks are round numbers: powers of ten, or steps of one, two or five of them.
func (a axis) ticks() (all []tick) {
	if a.log {
		for v := a.low; v <= a.high*1.001; v *= 10 {
			all = append(all, tick{a.at(v), number(v)})
		}
		return all
	}
	step := math.Pow(10, math.Floor(math.Log10((a.high-a.low)/2)))
	for _, times := range []float64{1, 2, 5} {
		if (a.high-a.low)/(step*times) <= 6 {
			step *= times
			break
		}
	}
	for v := math.Ceil(a.low/step) * step; v <= a.high; v += step {
		all = append(all, tick{a.at(v), number(math.Round(v/step) * step)})
	}
	return all
}

// plotStyle colours by kind, in both schemes; kinds also differ in their names, so
// colour is not the only signal.
const plotStyle template.CSS = `
svg { width: 100%; height: auto; display: block } svg text { font: 12px system-ui, sans-serif; fill: var(--ink) }
svg .tick text { fill: var(--faint); font-size: 11px } svg .tick line { stroke: var(--line) }
.process { --of: var(--p) } .wall { --of: var(--w) } .container { --of: var(--c) } .machine { --of: var(--m) }
.dots { fill: var(--of); fill-opacity: .45 } .box { fill: var(--of); fill-opacity: .18; stroke: var(--of) }
.median { stroke: var(--ink); stroke-width: 2 } .interval { fill: var(--of) }
`
