package lessons

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
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
	Options            []template.HTML
	Answer             template.HTML
}

// WritePage writes the lesson as one page of HTML that needs nothing else.
func WritePage(w io.Writer, l Lesson) error { return write(w, "page", l) }

// WriteSlides writes it as one file of slides with the notes of whoever shows
// them: arrow keys turn, n shows the notes.
func WriteSlides(w io.Writer, l Lesson) error { return write(w, "slides", l) }

func write(w io.Writer, name string, l Lesson) error {
	var sections []pageSection
	for _, s := range l.Sections {
		p := pageSection{Title: s.Title, Play: s.Play, Notes: s.Notes, Choice: s.Choice}
		var err error
		if p.Body, err = layOut(s.Text); err != nil {
			return fmt.Errorf("lay out lesson %s: %w", l.Slug, err)
		}
		if s.Choice != nil {
			for n, o := range s.Choice.Options {
				option, err := layOut([]byte(s.Choice.Letter(n) + ") " + o))
				if err != nil {
					return fmt.Errorf("lay out lesson %s: %w", l.Slug, err)
				}
				p.Options = append(p.Options, option)
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

// layOut makes HTML of Markdown, without its comments, which are for those who
// edit the text. A link to the code names its file instead: who reads the page
// need not have the sources beside it.
func layOut(source []byte) (template.HTML, error) {
	doc := markdown().Parser().Parse(text.NewReader(source))
	var comments, links []ast.Node
	if err := ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if _, inCode := codeFile(n); inCode && entering {
			links = append(links, n)
		} else if n.Kind() == ast.KindHTMLBlock && entering {
			comments = append(comments, n)
		}
		return ast.WalkContinue, nil
	}); err != nil {
		return "", err
	}
	for _, n := range comments {
		n.Parent().RemoveChild(n.Parent(), n)
	}
	for _, n := range links {
		file, _ := codeFile(n)
		n.Parent().InsertAfter(n.Parent(), n, ast.NewString([]byte(" ("+file+")")))
		for n.FirstChild() != nil {
			n.Parent().InsertBefore(n.Parent(), n, n.FirstChild())
		}
		n.Parent().RemoveChild(n.Parent(), n)
	}
	var b bytes.Buffer
	// The converter drops what HTML is left in the text; what it writes is its own.
	err := markdown().Renderer().Render(&b, source, doc)
	return template.HTML(b.String()), err
}

// codeFile gives the file of the sources that a link leads to, as one finds it
// from their top.
func codeFile(n ast.Node) (string, bool) {
	link, ok := n.(*ast.Link)
	if !ok {
		return "", false
	}
	file, ok := strings.CutPrefix(string(link.Destination), "../")
	file, _, _ = strings.Cut(file, "#")
	return file, ok
}
