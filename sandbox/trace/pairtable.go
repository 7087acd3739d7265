package trace

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"cutaway/sandbox/inspect"
)

// PairTable writes two processes side by side: = in front of what they share,
// != in front of what each has for itself, and how many there are of either.
func PairTable(w io.Writer, o TextOptions, rows []inspect.Row, nameA, nameB string) error {
	var b bytes.Buffer
	p := pairTable{cols: o.columns(), a: cleanLine(nameA), b: cleanLine(nameB),
		grid: grid{indent: 1, ink: ink(o.Color), ascii: o.ASCII}}
	cells := make([][]string, len(rows))
	same := 0
	for i, r := range rows {
		cells[i] = pairCells(r)
		if r.Same {
			same++
		}
	}
	if p.cols < minTable {
		p.list(&b, cells)
	} else if err := p.table(&b, cells); err != nil {
		return err
	}
	total := fmt.Sprintf("%d the same, %d different", same, len(rows)-same)
	b.WriteString(" " + cut(total, p.cols-1) + "\n")
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write table of two processes: %w", err)
	}
	return nil
}

// pairCells gives the four cells of a row.
func pairCells(r inspect.Row) []string {
	cells := []string{"!= " + cleanLine(string(r.Kind)), cleanLine(r.Name),
		orNone(cleanLine(r.A)), orNone(cleanLine(r.B))}
	if r.Same {
		cells[0] = "=  " + cleanLine(string(r.Kind))
		cells[3] = "the same"
	}
	return cells
}

// pairTable lays out the cells of a comparison in at most cols columns.
type pairTable struct {
	cols int
	a, b string // names of the two
	grid grid
}

// table gives the names of things what they need up to a third of the room,
// and shares out the rest between the two sides.
func (p pairTable) table(b *bytes.Buffer, rows [][]string) error {
	head := []string{"   Object", "What", p.a, p.b}
	need := make([]int, 4)
	for _, row := range append([][]string{head}, rows...) {
		for i, cell := range row {
			need[i] = max(need[i], width(cell))
		}
	}
	room := p.cols - p.grid.indent - 5 - 2*4 // 5 rules, a space on either side of 4 cells
	widths := []int{min(need[0], 14), min(need[1], room/3), 0, 0}
	room -= widths[0] + widths[1]
	widths[2] = min(need[2], max(room/2, room-need[3]))
	widths[3] = min(need[3], room-widths[2])
	broken := make([][]string, len(rows))
	for i, row := range rows {
		broken[i] = p.broken(row, widths)
	}
	return p.grid.render(b, p.broken(head, widths), broken)
}

// broken breaks the cells of a row into lines that fit.
func (p pairTable) broken(row []string, widths []int) []string {
	out := make([]string, len(row))
	for i, cell := range row {
		out[i] = strings.Join(wrap(cell, widths[i]), "\n")
	}
	return out
}

// list is the comparison for a terminal too narrow for the table.
func (p pairTable) list(b *bytes.Buffer, rows [][]string) {
	names := min(max(width(p.a), width(p.b)), 12)
	for _, row := range rows {
		lines := wrap(row[0]+"  "+row[1], p.cols-1)
		for i, name := range []string{p.a, p.b} {
			label := "   " + padTo(cut(name, names), names) + "  "
			lines = append(lines, hang(label, wrap(row[2+i], p.cols-1-width(label)))...)
		}
		for _, l := range lines {
			b.WriteString(" " + strings.TrimRight(l, " ") + "\n")
		}
	}
}
