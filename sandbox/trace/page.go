package trace

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page's files
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"
	"sync"
	"time"
)

//go:embed html/page.html
var pageHTML string

//go:embed html/page.css
var pageCSS string

//go:embed html/page.js
var pageJS string

// page is all that the template is given. The one script and the one style are
// known by their digests, and the page says that it wants no others and nothing
// from anywhere: what a program inside has printed can never become one.
type page struct {
	Title, Lead string
	Conditions  [][2]string
	Policy      string
	Style       template.CSS
	Script      template.JS
	Chapters    []*chapter
	Single      bool // one stage, not a tour
	Done        bool // not only planned
	Summary     *ending
	Wrong       []*item // errors that belong to no stage
}

// ending is the end of a tour.
type ending struct {
	Summary
	Seen    string
	Outcome string
	Host    string
}

// layout is parsed when it is first needed: most runs never write a page.
var layout = sync.OnceValues(func() (*template.Template, error) {
	return template.New("page").Funcs(template.FuncMap{
		"word": markWord, "pieces": pieces, "add": func(a, b int) int { return a + b },
	}).Parse(pageHTML)
})

// write sets the page.
func (h *HTML) write(sum *Summary) error {
	t, err := layout()
	if err != nil {
		return err
	}
	p := page{Conditions: h.about.rows(), Chapters: h.chapters, Single: len(h.chapters) == 1, Done: !h.planned, Wrong: h.wrong,
		Style: template.CSS(pageCSS), Script: template.JS(pageJS),
		Policy: fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'", digest(pageCSS), digest(pageJS))}
	p.Title, p.Lead = h.title()
	if sum != nil {
		p.Summary = sum.ending()
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return err
	}
	_, err = h.w.Write(b.Bytes())
	return err
}

// digest is how a content security policy names a script or a style.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// title says what the page is of.
func (h *HTML) title() (title, lead string) {
	first, last := h.chapters[0], h.chapters[len(h.chapters)-1]
	switch {
	case first.Slug == "":
		return "cutaway", ""
	case first == last:
		return "cutaway stage " + first.Slug, ""
	}
	return "cutaway tour", fmt.Sprintf("from %s to %s, %s", first.Slug, last.Slug, plural(len(h.chapters), "stage", "stages"))
}

// rows are the conditions that are known.
func (c Conditions) rows() [][2]string {
	var out [][2]string
	for _, row := range [][2]string{{"kernel", c.Kernel}, {"control groups", c.Cgroups}, {"machine", c.Machine},
		{"program", c.Program}, {"date", c.Date.Format(time.RFC1123Z)}} {
		if row[1] != "" {
			out = append(out, [2]string{row[0], cleanLine(row[1])})
		}
	}
	return out
}

// ending puts a Summary into words.
func (s Summary) ending() *ending {
	e := &ending{Summary: s, Seen: fmt.Sprintf("%s, %s, %s of kernel object seen", plural(s.Stages, "stage", "stages"),
		plural(s.Steps, "step", "steps"), plural(s.Kinds, "kind", "kinds"))}
	e.Lines, e.Lacks, e.Left = cleanLines(s.Lines), cleanLines(s.Lacks), cleanLines(s.Left)
	if s.Probes > 0 {
		e.Outcome = plural(s.Probes, "observation", "observations") + ", all as expected"
	}
	if s.Failed > 0 {
		e.Outcome = fmt.Sprintf("%s, %d NOT as expected", plural(s.Probes, "observation", "observations"), s.Failed)
	}
	if s.Compared > 0 {
		e.Host = map[bool]string{true: "yes", false: "NO"}[s.HostClean] + fmt.Sprintf(" (snapshot of %s compared)", plural(s.Compared, "kind", "kinds"))
	}
	return e
}

// markWord is what a mark is called where it is read out.
func markWord(mark string) string {
	switch mark {
	case "+":
		return "new"
	case "~":
		return "changed"
	case "-":
		return "gone"
	}
	return ""
}

// pieces are the parts between which a path or a list of flags may be broken.
func pieces(s string) []string {
	var out []string
	for len(s) > 0 {
		n := strings.IndexAny(s, "/|,") + 1
		if n == 0 {
			n = len(s)
		}
		out = append(out, s[:n])
		s = s[n:]
	}
	return out
}
