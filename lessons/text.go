package lessons

import (
	"slices"
	"strconv"
	"strings"

	"cutaway/sandbox/trace"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
)

// markdown reads CommonMark with tables.
func markdown() goldmark.Markdown { return goldmark.New(goldmark.WithExtensions(extension.Table)) }

// Text lays Markdown out for a terminal: lines of at most the width that o says,
// one cell in from the left.
func Text(source []byte, o trace.TextOptions) string {
	p := painter{o: o, source: source}
	doc := markdown().Parser().Parse(text.NewReader(source))
	p.blocks(doc, " ")
	return strings.Trim(p.out.String(), "\n") + "\n"
}

// painter walks the tree of a document and writes lines.
type painter struct {
	o      trace.TextOptions
	source []byte
	out    strings.Builder
}

// blocks writes the blocks below n, each line after indent, with an empty line
// between two.
func (p *painter) blocks(n ast.Node, indent string) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		p.block(c, indent)
		if tight := c.Kind() == ast.KindTextBlock || c.Kind() == ast.KindHTMLBlock; !tight {
			p.out.WriteByte('\n')
		}
	}
}

func (p *painter) block(n ast.Node, indent string) {
	switch n := n.(type) {
	case *ast.HTMLBlock: // comments are for those who edit the text
	case *ast.Heading:
		p.paragraph(n, indent, p.o.Bold)
	case *ast.List:
		p.list(n, indent)
	case *ast.Blockquote:
		inner := painter{o: p.o, source: p.source}
		inner.blocks(n, indent+"| ")
		p.line(strings.Trim(inner.out.String(), "\n"))
	case *ast.FencedCodeBlock:
		p.code(n, indent)
	case *ast.CodeBlock:
		p.code(n, indent)
	case *extast.Table:
		p.table(n, indent)
	case *ast.ThematicBreak:
		p.line(indent + strings.Repeat("-", 20))
	default:
		p.paragraph(n, indent, nil)
	}
}

func (p *painter) line(s string) { p.out.WriteString(strings.TrimRight(s, " ") + "\n") }

// code writes lines as they are, for their breaks mean something: set in, but
// no further than the longest allows.
func (p *painter) code(n ast.Node, indent string) {
	var lines []string
	in := trace.Cells(indent) + 2
	for i := range n.Lines().Len() {
		segment := n.Lines().At(i)
		line := strings.TrimRight(string(segment.Value(p.source)), "\n")
		lines = append(lines, line)
		in = min(in, p.o.Columns()-trace.Cells(line))
	}
	if in < 0 {
		in = trace.Cells(indent) + 2 // it does not fit anyway
	}
	for _, line := range lines {
		p.line(strings.Repeat(" ", in) + line)
	}
}

// list writes items behind a dash or their number.
func (p *painter) list(n *ast.List, indent string) {
	number := n.Start
	for item := n.FirstChild(); item != nil; item = item.NextSibling() {
		mark := "- "
		if n.IsOrdered() {
			mark = strconv.Itoa(number) + ". "
			number++
		}
		inner := painter{o: p.o, source: p.source}
		inner.blocks(item, indent+strings.Repeat(" ", len(mark)))
		lines := strings.Trim(inner.out.String(), "\n")
		p.line(indent + mark + strings.TrimLeft(lines, " "))
	}
}

// table writes rows as tablewriter draws them elsewhere.
func (p *painter) table(n *extast.Table, indent string) {
	var header []string
	var rows [][]string
	for row := n.FirstChild(); row != nil; row = row.NextSibling() {
		var cells []string
		for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
			cells = append(cells, p.plain(cell))
		}
		if row.Kind() == extast.KindTableHeader {
			header = cells
		} else {
			rows = append(rows, cells)
		}
	}
	draw := func(o trace.TextOptions) string {
		var b strings.Builder
		_ = trace.Table(&b, o, header, rows) // a builder takes all that is written to it
		return b.String()
	}
	bare := p.o
	bare.Color = false // paint takes no cells
	for line := range strings.Lines(draw(bare)) {
		if trace.Cells(strings.TrimRight(line, "\n")) > p.o.Columns() { // too narrow for columns: a row is a paragraph
			for _, row := range rows {
				row = slices.DeleteFunc(row, func(cell string) bool { return cell == "" })
				p.out.WriteString(Text([]byte("- "+strings.Join(row, "; ")), p.o))
			}
			return
		}
	}
	p.out.WriteString(draw(p.o))
}

// word is a piece of a paragraph between two spaces.
type word struct {
	cells   int
	painted string
}

// paragraph fills lines with the words of n; all of them are painted by paint,
// if it is given.
func (p *painter) paragraph(n ast.Node, indent string, paint func(string) string) {
	words := p.words(n, paint)
	width := min(p.o.Columns(), 80) - 1
	line, cells := indent, len(indent)
	for i, w := range words {
		if w.painted == "\n" {
			p.line(line)
			line, cells = indent, len(indent)
			continue
		}
		if cells > len(indent) && cells+1+w.cells > width {
			p.line(line)
			line, cells = indent, len(indent)
		} else if i > 0 && cells > len(indent) {
			line, cells = line+" ", cells+1
		}
		line, cells = line+w.painted, cells+w.cells
	}
	if cells > len(indent) {
		p.line(line)
	}
}

// words splits the inline text below n, each word painted by what it stands in.
func (p *painter) words(n ast.Node, paint func(string) string) []word {
	var words []word
	glued := false // the next piece belongs to the last word
	add := func(s string, paint func(string) string) {
		for i, f := range strings.Split(strings.ReplaceAll(s, "\n", " "), " ") {
			if i > 0 {
				glued = false
			}
			if f == "" {
				continue
			}
			painted := f
			if paint != nil {
				painted = paint(f)
			}
			if last := len(words) - 1; glued && last >= 0 {
				words[last] = word{words[last].cells + trace.Cells(f), words[last].painted + painted}
			} else {
				words = append(words, word{trace.Cells(f), painted})
			}
			glued = true
		}
	}
	var walk func(ast.Node, func(string) string)
	walk = func(n ast.Node, paint func(string) string) {
		for c := n.FirstChild(); c != nil; c = c.NextSibling() {
			switch c := c.(type) {
			case *ast.Text:
				add(string(c.Segment.Value(p.source)), paint)
				if c.HardLineBreak() {
					words, glued = append(words, word{0, "\n"}), false
				} else if c.SoftLineBreak() {
					glued = false
				}
			case *ast.String:
				add(string(c.Value), paint)
			case *ast.Emphasis:
				walk(c, p.o.Bold)
			case *ast.CodeSpan:
				if !p.o.Color { // colour is never the only signal
					add("`", nil)
				}
				walk(c, p.o.Bold)
				if !p.o.Color {
					add("`", nil)
				}
			case *ast.Link:
				walk(c, paint)
				to, ok := codeFile(c)
				if !ok {
					to = string(c.Destination)
				}
				add(" ("+to+")", p.o.Faint)
			case *ast.AutoLink:
				add(string(c.URL(p.source)), paint)
			default:
				walk(c, paint)
			}
		}
	}
	walk(n, paint)
	return words
}

// plain is the text below n without any paint.
func (p *painter) plain(n ast.Node) string {
	bare := painter{source: p.source}
	var words []string
	for _, w := range bare.words(n, nil) {
		words = append(words, w.painted)
	}
	return strings.Join(words, " ")
}
