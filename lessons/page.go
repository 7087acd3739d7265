package lessons

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"sync"
)

//go:embed page.html
var pageSource string

// pages are the templates of a page to read and of slides.
var pages = sync.OnceValues(func() (*template.Template, error) { return template.New("page").Parse(pageSource) })

// pageSection is a section as HTML.
type pageSection struct {
	Title, Play, Notes string
	Body               template.HTML
	Choice             *Choice
	Options            []string
	Answer             string
}

// WritePage writes the lesson as one page of HTML that needs nothing else.
func WritePage(w io.Writer, l Lesson) error { return write(w, "page", l) }

// WriteSlides writes it as one file of slides with the notes of whoever shows
// them: arrow keys turn, n shows the notes.
func WriteSlides(w io.Writer, l Lesson) error { return write(w, "slides", l) }

func write(w io.Writer, name string, l Lesson) error {
	var sections []pageSection
	for _, s := range l.Sections {
		var body bytes.Buffer
		if err := markdown().Convert(s.Text, &body); err != nil {
			return fmt.Errorf("lay out lesson %s: %w", l.Slug, err)
		}
		// The converter drops HTML of the text; what it writes is its own.
		p := pageSection{Title: s.Title, Play: s.Play, Notes: s.Notes, Body: template.HTML(body.String()), Choice: s.Choice}
		if s.Choice != nil {
			for n, o := range s.Choice.Options {
				p.Options = append(p.Options, s.Choice.Letter(n)+") "+o)
			}
			p.Answer = p.Options[s.Choice.Right]
		}
		sections = append(sections, p)
	}
	t, err := pages()
	if err != nil {
		return fmt.Errorf("lay out lesson %s: %w", l.Slug, err)
	}
	return t.ExecuteTemplate(w, name, map[string]any{"Lesson": l, "Sections": sections})
}
