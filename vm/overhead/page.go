package overhead

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"sync"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS template.CSS

// page is what the template is given.
type page struct {
	Title    string
	Style    template.CSS
	Policy   string
	Results  []pageResult
	Sections []section
	Absent   []Absent
	Agree    string
}

type pageResult struct {
	Name       string
	Rows       [][2]string
	Contenders []Entry
}

// section is one measure.
type section struct {
	Measure
	Better string
	Plot   *plot
	Rows   []sectionRow
}

type sectionRow struct {
	Name string
	Summary
	Quartiles, Interval, Value, Times string
}

// layout is parsed when it is first needed.
var layout = sync.OnceValues(func() (*template.Template, error) {
	return template.New("page").Parse(pageHTML)
})

// Page writes the result as one page that needs nothing else.
func (r *Result) Page(w io.Writer) error {
	return writePage(w, page{Title: "VM versus container", Results: []pageResult{r.onPage("")}, Absent: r.Absent, Sections: sections(func(m Measure) []distribution {
		return r.distributions(m, "")
	})})
}

// Page writes both results as one page, each subject of one above that of the
// other.
func (t *Together) Page(w io.Writer) error {
	a, b := t.results[0], t.results[1]
	return writePage(w, page{Title: "VM versus container: two comparisons", Results: []pageResult{a.onPage("A: " + t.names[0]), b.onPage("B: " + t.names[1])},
		Agree: fmt.Sprintf("%d of %d agree: %s.", t.Agree, t.Of, t.agreement()),
		Sections: sections(func(m Measure) (both []distribution) {
			others := b.distributions(m, " B")
			for _, d := range a.distributions(m, " A") {
				both = append(both, d)
				for _, o := range others {
					if o.name == d.name[:len(d.name)-1]+"B" {
						both = append(both, o)
					}
				}
			}
			return both
		})})
}

// onPage are the conditions of a result.
func (r *Result) onPage(name string) pageResult { return pageResult{name, r.rows(), r.Contenders} }

// distributions are the samples of a measure, by subject.
func (r *Result) distributions(m Measure, suffix string) (all []distribution) {
	for _, s := range r.Of(m.Key) {
		d := distribution{name: r.label(s) + suffix, kind: s.Kind, Summary: s.Summary()}
		for _, one := range s.Samples {
			d.values = append(d.values, one.Value)
		}
		all = append(all, d)
	}
	return all
}

// sections are the measures that there are samples of.
func sections(of func(Measure) []distribution) (all []section) {
	for _, m := range Measures() {
		found := of(m)
		if len(found) == 0 {
			continue
		}
		s := section{Measure: m, Better: m.better(), Plot: plotOf(m, found)}
		base := 0.0
		for _, d := range found {
			if base == 0 && (d.name == m.base() || d.name == m.base()+" A") {
				base = d.Median
			}
		}
		for _, d := range found {
			s.Rows = append(s.Rows, sectionRow{Name: d.name, Summary: d.Summary, Quartiles: d.quartiles(), Interval: d.interval(),
				Value: m.number(d.Median), Times: times(d.Median / base)})
		}
		all = append(all, s)
	}
	return all
}

// writePage sets the page. Its style is known by its digest, and the page wants
// nothing else from anywhere.
func writePage(w io.Writer, p page) error {
	t, err := layout()
	if err != nil {
		return err
	}
	p.Style = pageCSS + plotStyle
	sum := sha256.Sum256([]byte(p.Style))
	p.Policy = fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'", base64.StdEncoding.EncodeToString(sum[:]))
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return fmt.Errorf("set the page: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}
