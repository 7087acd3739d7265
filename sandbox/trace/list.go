package trace

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// Table writes rows under a head, at most TextOptions.Width columns wide: cells
// that are too long are broken, from the last column on.
func Table(w io.Writer, o TextOptions, head []string, rows [][]string) error {
	const indent = 1
	cells := make([][]string, len(rows))
	for i, row := range rows {
		cells[i] = cleanLines(row)
	}
	// n columns have n+1 rules, and a space on either side.
	widths := columnWidths(head, cells, o.columns()-indent-3*len(head)-1)
	for _, row := range cells {
		for c := range row {
			row[c] = strings.Join(wrap(row[c], widths[c]), "\n")
		}
	}
	var b bytes.Buffer
	if err := (grid{indent: indent, ink: ink(o.Color), ascii: o.ASCII}).render(&b, head, cells); err != nil {
		return err
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}
