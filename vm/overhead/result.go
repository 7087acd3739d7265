package overhead

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"slices"

	"cutaway/sandbox/trace"
)

// Schema is the version of the form of a Result in JSON.
const Schema = 1

// Result is all that a run has found: every sample, and under which conditions.
type Result struct {
	Schema     int        `json:"schema"`
	Event      string     `json:"event"` // "compare", as the lab's other output in JSON has it
	Conditions Conditions `json:"conditions"`
	Contenders []Entry    `json:"contenders"`
	Absent     []Absent   `json:"absent"`
	Series     []*Series  `json:"series"`
}

// Entry says what a contender is.
type Entry struct {
	Name    string `json:"name"`
	Kind    Kind   `json:"kind"`
	About   string `json:"about"`
	Version string `json:"version,omitempty"`
}

// Conditions are what the numbers depend on.
type Conditions struct {
	trace.Conditions
	Accelerator string // kvm or tcg, of machines
	NoKVM       string `json:",omitempty"` // why not kvm
	Processors  int
	LoadBefore  string // load averages: proc_loadavg(5)
	LoadAfter   string
	Took        string
	Quick       bool
	InHost      bool
	Passes      int
	Rounds      int
	Boots       int
	Cut         bool `json:",omitempty"` // ended early, because the time was up
}

// Series are the samples of one measure of one subject.
type Series struct {
	Measure string   `json:"measure"`
	Subject string   `json:"subject"`
	Kind    Kind     `json:"kind"`
	Samples []Sample `json:"samples"`
}

// Sample is one run: what was measured, in which pass, and how many others wanted
// a processor when it began. In JSON it is a list of these three, as there are
// thousands.
type Sample struct {
	Value        float64
	Pass, Others int
}

// MarshalJSON writes five digits of the value, more than a run can be repeated to.
func (s Sample) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, "[%.5g,%d,%d]", s.Value, s.Pass, s.Others), nil
}

// UnmarshalJSON reads such a list.
func (s *Sample) UnmarshalJSON(text []byte) error {
	var list [3]float64
	err := json.Unmarshal(text, &list)
	*s = Sample{list[0], int(list[1]), int(list[2])}
	return err
}

// newResult begins a result.
func newResult(o Options) *Result {
	accel, why := acceleration()
	return &Result{Schema: Schema, Event: "compare", Conditions: Conditions{Conditions: o.About, Accelerator: accel, NoKVM: why, Processors: processors(),
		LoadBefore: load(), Quick: o.Quick, InHost: o.InHost, Passes: o.Passes, Rounds: o.Rounds, Boots: o.Boots},
		Contenders: []Entry{}, Absent: []Absent{}, Series: []*Series{}}
}

func (r *Result) contenders(found []Contender, missing []Absent) {
	for _, c := range found {
		r.Contenders = append(r.Contenders, Entry{c.Name, c.Kind, c.About, c.version})
	}
	r.Absent = append(r.Absent, missing...)
}

func (r *Result) miss(name, why string) { r.Absent = append(r.Absent, Absent{name, why}) }

func (r *Result) cut() { r.Conditions.Cut = true }

// expect makes room for the samples of a group's subjects, so that they are shown
// in this order; those that get none are not shown.
func (r *Result) expect(measures []Measure, subjects []subject) {
	for _, m := range measures {
		for _, s := range subjects {
			r.Series = append(r.Series, &Series{Measure: m.Key, Subject: s.name, Kind: s.kind, Samples: []Sample{}})
		}
	}
}

// add keeps the values of one run.
func (r *Result) add(s subject, values map[string]float64, pass, others int) {
	for key, v := range values {
		if one := r.Find(key, s.name); one != nil {
			one.Samples = append(one.Samples, Sample{v, pass, others})
		}
	}
}

// Find gives the samples of a measure of a subject; nil if there are none.
func (r *Result) Find(measure, subject string) *Series {
	n := slices.IndexFunc(r.Series, func(s *Series) bool { return s.Measure == measure && s.Subject == subject })
	if n < 0 {
		return nil
	}
	return r.Series[n]
}

// Of lists the series of a measure that have samples.
func (r *Result) Of(measure string) []*Series {
	return slices.DeleteFunc(slices.Clone(r.Series), func(s *Series) bool { return s.Measure != measure || len(s.Samples) == 0 })
}

// Summary describes the samples.
func (s *Series) Summary() Summary { return s.summary(func(Sample) bool { return true }) }

func (s *Series) summary(counts func(Sample) bool) Summary {
	var passes [][]float64
	for _, one := range s.Samples {
		for len(passes) <= one.Pass {
			passes = append(passes, nil)
		}
		if counts(one) {
			passes[one.Pass] = append(passes[one.Pass], one.Value)
		}
	}
	h := fnv.New64()
	fmt.Fprint(h, s.Measure, s.Subject) // the same samples give the same interval
	return Summarize(passes, h.Sum64())
}

// Write writes a result as one line of JSON.
func (r *Result) Write(w io.Writer) error { return json.NewEncoder(w).Encode(r) }

// FileError is a file that is no result.
type FileError struct{ Path, Fact string }

func (e *FileError) Error() string { return "read a comparison from " + e.Path + ": " + e.Fact }

// Hint says how to get one.
func (e *FileError) Hint() string {
	return "cutaway compare --format json > " + e.Path + " writes one"
}

// Read reads a result from a file.
func Read(path string) (*Result, error) {
	f, err := os.Open(path)
	if err != nil {
		var p *os.PathError
		errors.As(err, &p)
		return nil, &FileError{path, p.Err.Error()}
	}
	defer f.Close()
	var r Result
	if err := json.NewDecoder(f).Decode(&r); err != nil {
		return nil, &FileError{path, err.Error()}
	}
	if r.Event != "compare" || r.Schema != Schema {
		return nil, &FileError{path, fmt.Sprintf("it holds %q of form %d, not a comparison of form %d", r.Event, r.Schema, Schema)}
	}
	for _, s := range r.Series {
		for _, one := range s.Samples {
			if one.Pass < 0 || one.Pass > 1000 {
				return nil, &FileError{path, fmt.Sprintf("a sample of %s is of pass %d", s.Measure, one.Pass)}
			}
		}
	}
	return &r, nil
}
