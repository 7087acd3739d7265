package lessons

import (
	"bufio"
	"bytes"
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"cutaway/lessons/progress"
	"cutaway/sandbox/trace"

	"github.com/stretchr/testify/require"
)

func builtIn(t *testing.T) Course {
	t.Helper()
	course, err := BuiltIn()
	require.NoError(t, err)
	return course
}

// Every lesson of a stage has the sections of a lesson, in their order, asks
// before it shows, and can be read in the time it says.
func TestShape(t *testing.T) {
	for _, l := range builtIn(t) {
		t.Run(l.Slug, func(t *testing.T) {
			require.Positive(t, l.Minutes)
			var titles []string
			plays := false
			for _, s := range l.Sections {
				titles = append(titles, s.Title)
				plays = plays || s.Play != ""
				if s.Title == prediction || s.Title == observation {
					require.NotNil(t, s.Choice, "%s asks nothing", s.Title)
				}
			}
			if !plays {
				return // a lesson beside the stages
			}
			require.Equal(t, Shape, titles)
			require.InDelta(t, 800, l.Words(), 250, "words")
		})
	}
}

// symbol is a reference to the code: a link to a file whose fragment is a name.
var symbol = regexp.MustCompile(`\]\((\.\./[^)#]*\.go)(?:#([A-Za-z0-9_.]+))?\)`)

// Links lead to files that are there, and symbols to declarations in them.
func TestReferences(t *testing.T) {
	files, err := filepath.Glob("*.md")
	require.NoError(t, err)
	local := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range local.FindAllStringSubmatch(string(text), -1) {
			require.FileExists(t, m[1], "%s links to it", file)
		}
		for _, m := range symbol.FindAllStringSubmatch(string(text), -1) {
			if m[2] != "" {
				require.Contains(t, declared(t, m[1]), m[2], "%s says that it is in %s", file, m[1])
			}
		}
	}
}

// declared lists what a Go file declares at its top level, methods as
// Type.Method.
func declared(t *testing.T, file string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	require.NoError(t, err)
	var names []string
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			name := d.Name.Name
			if d.Recv != nil {
				of := d.Recv.List[0].Type
				if star, ok := of.(*ast.StarExpr); ok {
					of = star.X
				}
				name = of.(*ast.Ident).Name + "." + name
			}
			names = append(names, name)
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					names = append(names, s.Name.Name)
				case *ast.ValueSpec:
					for _, n := range s.Names {
						names = append(names, n.Name)
					}
				}
			}
		}
	}
	return names
}

const small = `# A title
<!-- minutes: 3 -->

## Prediction
Which?

- [ ] this
- [x] that

## Run
<!-- play: stage uts -->

## What did you see?
- [x] that
- [ ] this

## Explanation
It is *that*, see [the manual](https://example.org/x) and ` + "`a b`" + `.

<!-- note: say it slowly -->
`

func TestParse(t *testing.T) {
	course, err := Read(fstest.MapFS{"07-x.md": {Data: []byte(small)}, "README.md": {Data: []byte("no lesson")}})
	require.NoError(t, err)
	require.Len(t, course, 1)
	for _, word := range []string{"7", "07", "x", "07-x"} {
		l, err := course.Find(word)
		require.NoError(t, err)
		require.Equal(t, "A title", l.Title)
	}
	_, err = course.Find("8")
	require.ErrorContains(t, err, `lesson "8"`)
	l := course[0]
	require.Equal(t, Choice{[]string{"this", "that"}, 1}, *l.Sections[0].Choice)
	require.Equal(t, "uts", l.Sections[1].Play)
	require.Equal(t, "say it slowly", l.Sections[3].Notes)
	require.NotContains(t, string(l.Markdown()), "[x]")

	for text, fact := range map[string]string{
		"# T\n## A\n- [ ] a\n- [ ] b\n": "one of them ticked",
		"# T\n## A\n- [x] a\n":          "two answers",
		"# T\nhello\n## A\n":            "line 2: text before",
		"hello":                         "text before",
		"# T\n# U\n":                    "second title",
		"# T\n<!-- minutes: x -->\n":    "no number",
		"":                              "has a title",
	} {
		_, err := Read(fstest.MapFS{"01-y.md": {Data: []byte(text)}})
		require.ErrorContains(t, err, fact, "%q", text)
	}
}

// A learner predicts, watches, answers, is told; stops, and goes on there.
func TestPlayer(t *testing.T) {
	course, err := Read(fstest.MapFS{"07-x.md": {Data: []byte(small)}})
	require.NoError(t, err)
	var done []progress.Entry
	var played []string
	play := func(typed string) (string, error) {
		var out bytes.Buffer
		p := Player{In: bufio.NewReader(strings.NewReader(typed)), Out: &out, Options: trace.TextOptions{Width: 80},
			Note: func(e progress.Entry) error { done = append(done, e); return nil },
			Stage: func(_ context.Context, s string, pause bool) error {
				played = append(played, s)
				require.True(t, pause)
				return nil
			}}
		err := p.Play(t.Context(), course[0], Resume(course[0], done), done)
		return out.String(), err
	}
	out, err := play("z\na\n\nq\n")
	require.ErrorIs(t, err, ErrStopped)
	require.Contains(t, out, `"z" is none of them`)
	require.Contains(t, out, "Noted: a).")
	require.NotContains(t, out, "Yes", "a prediction is answered by the run")
	require.Equal(t, []string{"uts"}, played)
	require.Equal(t, "2 of 4", course[0].Progress(done))

	out, err = play("b\n")
	require.NoError(t, err)
	require.Contains(t, out, "going on with section 3 of 4")
	require.Contains(t, out, "No, look again: it is a) that")
	require.Contains(t, out, "You predicted a) this. What happened: b) that.")
	require.Contains(t, out, "the manual (https://example.org/x)")
	require.Equal(t, "done", course[0].Progress(done))
	require.Zero(t, Resume(course[0], done), "what is behind begins anew")
}

// A text longer than the terminal comes in pieces, and nothing of it is lost.
func TestPieces(t *testing.T) {
	var out bytes.Buffer
	p := Player{In: bufio.NewReader(strings.NewReader("\n\n")), Out: &out, Height: 13}
	paragraph := strings.Repeat("a line\n", 5) + "\n"
	require.NoError(t, p.show(t.Context(), strings.Repeat(paragraph, 3)+strings.Repeat("b line\n", 9)))
	require.Equal(t, 15, strings.Count(out.String(), "a line\n"))
	require.Equal(t, 9, strings.Count(out.String(), "b line\n"))
	for piece := range strings.SplitSeq(out.String(), "[Enter] more") {
		require.LessOrEqual(t, strings.Count(piece, "\n"), 12)
	}
	out.Reset()
	require.NoError(t, p.show(t.Context(), strings.Repeat("a line\n", 10)))
	require.NotContains(t, out.String(), "more", "it fits")
	require.ErrorIs(t, p.show(t.Context(), strings.Repeat(paragraph, 3)), ErrStopped)
}

// Lines fit, whatever the text.
func TestTextFits(t *testing.T) {
	for _, l := range builtIn(t) {
		for _, width := range []int{40, 80} {
			for _, line := range strings.Split(Text(l.Markdown(), trace.TextOptions{Width: width}), "\n") {
				code := strings.HasPrefix(line, "   ") && width < 80 // what was printed was printed for 80
				require.True(t, code || trace.Cells(line) <= width, "%s at %d: %q", l.Slug, width, line)
			}
		}
	}
}

// Colour takes no room from a table.
func TestTableInColor(t *testing.T) {
	table := []byte("| year | what |\n|---|---|\n| 1979 | " + strings.Repeat("chroot ", 20) + "|\n")
	for _, color := range []bool{false, true} {
		require.Contains(t, Text(table, trace.TextOptions{Width: 80, Color: color}), "│")
	}
}

func TestPages(t *testing.T) {
	for _, l := range builtIn(t) {
		for name, write := range map[string]func(*bytes.Buffer) error{
			"page": func(b *bytes.Buffer) error { return WritePage(b, l) }, "slides": func(b *bytes.Buffer) error { return WriteSlides(b, l) },
		} {
			var b bytes.Buffer
			require.NoError(t, write(&b))
			require.Equal(t, len(l.Sections), strings.Count(b.String(), "<h2>"), name)
			require.NotRegexp(t, `(src|href)="http`, strings.ReplaceAll(b.String(), `<a href="http`, ""), "%s needs the network", name)
			require.NotRegexp(t, `<!-- |href="\.\.|<li>[^<]*`+"`", b.String(), "%s of %s: what is for the editor, a file that is not there, or Markdown", name, l.Slug)
		}
	}
}

func TestGlossary(t *testing.T) {
	entries := Glossary()
	require.Greater(t, len(entries), 40)
	for _, e := range entries {
		require.NotEmpty(t, e.Meaning, "%v", e.Words)
		for _, w := range e.Words {
			found, err := Explain(strings.ToUpper(w))
			require.NoError(t, err)
			require.Equal(t, e, found, "%s is there twice", w)
		}
	}
	_, err := Explain("namespaces")
	require.NoError(t, err, "a plural")
	_, err = Explain("cgroupz")
	require.ErrorContains(t, err, "not in the glossary")
}
