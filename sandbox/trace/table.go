package trace

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"cutaway/sandbox/inspect"
)

// ObjectsTable writes kernel objects as a table: what, which, where the facts
// were read, and the facts.
func ObjectsTable(w io.Writer, o TextOptions, objs []inspect.Object) error {
	var b bytes.Buffer
	ot := objectTable{cols: o.columns(), indent: 1, ink: ink(o.Color), ascii: o.ASCII}
	if err := ot.render(&b, cleanObjects(objs)); err != nil {
		return err
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write table of objects: %w", err)
	}
	return nil
}

// objectTable lays out objects in at most cols columns.
type objectTable struct {
	cols   int
	indent int    // of tables; paragraphs are always 3 in
	mark   string // "+" in front of each kind, or nothing
	ink    ink
	ascii  bool
}

const (
	longName   = 24  // an id or path longer than this leaves no room for the facts
	longDetail = 140 // facts longer than this would take more than six lines of a cell
	minDetail  = 23  // "owner user:[4026531837]"
	minTable   = 72  // a narrower terminal has no room for four columns
)

// render writes a table of the kinds of object that fit into one, then the
// others, a paragraph each: a process has some twenty facts.
func (ot objectTable) render(b *bytes.Buffer, objs []inspect.Object) error {
	tooLong := map[inspect.Kind]bool{}
	for _, o := range objs {
		if !ot.fits(o) {
			tooLong[o.Kind] = true
		}
	}
	var rows, long []inspect.Object
	for _, o := range objs {
		if tooLong[o.Kind] {
			long = append(long, o)
		} else {
			rows = append(rows, o)
		}
	}
	if len(rows) > 0 {
		if err := ot.table(b, rows); err != nil {
			return err
		}
	}
	ot.items(b, long)
	return nil
}

func (ot objectTable) fits(o inspect.Object) bool {
	return ot.cols >= minTable && width(o.ID) <= longName && width(whereOf(o)) <= longName &&
		width(strings.Join(factsOf(o.Detail), ", ")) <= longDetail
}

// table writes objects whose ids fit a column.
func (ot objectTable) table(b *bytes.Buffer, objs []inspect.Object) error {
	head := []string{"Object", "Id", "Where", "Detail"}
	var rows [][]string
	for _, o := range objs {
		kind := string(o.Kind)
		if ot.mark != "" {
			kind = ot.mark + " " + kind
		}
		rows = append(rows, []string{kind, o.ID, whereOf(o), strings.Join(factsOf(o.Detail), ", ")})
	}
	// 4 columns have 5 rules and a space on either side.
	widths := columnWidths(head, rows, ot.cols-ot.indent-5-2*4)
	used := make([]int, 3) // a path broken after a slash leaves room for the facts
	for i := range objs {
		for c := range used {
			parts := split(rows[i][c], widths[c])
			for _, part := range append(parts, head[c]) {
				used[c] = max(used[c], width(part))
			}
			rows[i][c] = strings.Join(parts, "\n")
		}
	}
	widths[3] += widths[0] + widths[1] + widths[2] - used[0] - used[1] - used[2]
	for i, o := range objs {
		rows[i][3] = strings.Join(factLines(o.Detail, widths[3]), "\n")
	}
	g := grid{indent: ot.indent, ink: ot.ink, ascii: ot.ascii, mark: ot.mark}
	return g.render(b, head, rows)
}

// columnWidths gives each column what it needs; what does not fit is taken
// from the last one down to a minimum, then from the one before (paths, which
// break well after a slash), then from the others.
func columnWidths(head []string, rows [][]string, room int) []int {
	widths := make([]int, len(head))
	for _, row := range append([][]string{head}, rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], width(cell))
		}
	}
	over := -room
	for _, w := range widths {
		over += w
	}
	last := len(widths) - 1
	take := func(col, least int) {
		n := max(min(over, widths[col]-least), 0)
		widths[col] -= n
		over -= n
	}
	take(last, minDetail)
	for col := last - 1; col >= 0; col-- {
		take(col, 13) // enough for /proc/123/ns/
	}
	for col := range widths {
		take(col, 4)
	}
	return widths
}

// items writes objects without a table: a line that names one and says where
// it was read, its facts under that.
func (ot objectTable) items(b *bytes.Buffer, objs []inspect.Object) {
	const indent = 3 // under the text of a table's first column
	w := ot.cols - indent
	for i, o := range objs {
		var lines []string
		if ot.mark == "" && i > 0 && objs[i-1].Kind != o.Kind {
			b.WriteByte('\n') // a long listing needs air, a step does not
		}
		const in = 2 // facts are under the name, after the mark
		head := nameOf(o)
		if ot.mark != "" {
			head = ot.mark + " " + head
		}
		if width(head) > w { // an id of a line's length gets that line
			lines = append(lines, split(strings.TrimSuffix(head, " "+o.ID), w)...)
			lines = append(lines, hang(spaces(in), split(o.ID, w-in))...)
		} else {
			lines = append(lines, head)
		}
		if where := whereOf(o); where != "" && len(lines) == 1 && width(head)+2+width(where) <= w {
			lines[0] += "  " + ot.ink.faint(where)
		} else if where != "" {
			lines = append(lines, hang(spaces(in), split(where, w-in))...)
		}
		lines = append(lines, hang(spaces(in), factLines(o.Detail, w-in))...)
		if ot.mark != "" {
			lines[0] = ot.ink.mark(ot.mark) + strings.TrimPrefix(lines[0], ot.mark)
		}
		for _, l := range lines {
			b.WriteString(spaces(indent) + l + "\n")
		}
	}
}

// whereOf is where an object was read, without saying again what its id says:
// nothing for a directory, only the directory for a blob named by its digest.
func whereOf(o inspect.Object) string {
	if o.Where == o.ID {
		return ""
	}
	dir, file := path.Split(o.Where)
	if _, digest, ok := strings.Cut(o.ID, ":"); ok && file == digest {
		return "in " + dir
	}
	return o.Where
}

// grid draws a table whose cells are already broken into lines that fit.
type grid struct {
	indent int // of tables; paragraphs are always 3 in
	ink    ink
	ascii  bool
	mark   string // painted where a first cell starts with it
}

func (g grid) render(b *bytes.Buffer, head []string, rows [][]string) error {
	symbols := tw.NewSymbols(tw.StyleLight)
	if g.ascii {
		symbols = tw.NewSymbols(tw.StyleASCII)
	}
	var raw bytes.Buffer
	table := tablewriter.NewTable(&raw,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{Symbols: symbols})),
		tablewriter.WithHeaderAutoFormat(tw.Off), // "Id", not "ID"
		tablewriter.WithHeaderAlignment(tw.AlignLeft),
		tablewriter.WithRowAlignment(tw.AlignLeft),
		tablewriter.WithHeaderAutoWrap(tw.WrapNone),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithEastAsian(false), // as in wrap.go
		// Without this columns are measured without the indent of a fact's second
		// line, and then cut to that.
		tablewriter.WithTrimSpace(tw.Off),
	)
	table.Header(head)
	for _, row := range rows {
		if err := table.Append(row); err != nil {
			return fmt.Errorf("add row %s to table: %w", row[0], err)
		}
	}
	if err := table.Render(); err != nil {
		return fmt.Errorf("draw table: %w", err)
	}
	for line := range strings.Lines(raw.String()) {
		b.WriteString(spaces(g.indent) + g.paint(strings.TrimRight(line, "\n")) + "\n")
	}
	return nil
}

// paint makes the rules of the table fainter than what is in it.
func (g grid) paint(line string) string {
	if !bool(g.ink) {
		return line
	}
	bar := "│"
	if g.ascii {
		bar = "|"
	}
	if !strings.HasPrefix(line, bar) {
		return g.ink.faint(line)
	}
	if rest, ok := strings.CutPrefix(line, bar+" "+g.mark+" "); ok && g.mark != "" {
		line = bar + " " + g.ink.mark(g.mark) + " " + rest
	}
	return strings.ReplaceAll(line, bar, g.ink.faint(bar))
}
