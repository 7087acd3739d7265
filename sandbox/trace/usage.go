package trace

import (
	"fmt"
	"io"
	"strings"
	"time"

	"cutaway/sandbox/inspect"
)

// Moment is one look at what a container uses, and what it did since the look
// before.
type Moment struct {
	inspect.Usage
	Rates inspect.Rates `json:"a_second"`
}

// usageHead is the line over those of WriteUsageLine.
const usageHead = " time        cpu  waited  memory      of procs    of  read/s written/s killed"

// WriteUsageLine writes a Moment as one line, after a head if it is the first.
func WriteUsageLine(w io.Writer, m Moment, first bool) error {
	text := fmt.Sprintf(" %s %4.0f %% %5.0f %% %7s %7s %5s %5s %7s %9s %6s\n", m.Taken.Format("15:04:05"), 100*m.Rates.CPU, 100*m.Rates.Throttled,
		bytesText(m.Memory), limitText(m.MemoryMax, bytesText), countText(m.Pids), limitText(m.PidsMax, countText),
		bytesText(int64(m.Rates.Read)), bytesText(int64(m.Rates.Written)), countText(m.Killed))
	if first {
		text = usageHead + "\n" + text
	}
	_, err := io.WriteString(w, text)
	return err
}

// usageBlock is how many lines WriteUsage writes.
const usageBlock = 7

// WriteUsage writes a Moment as a block that takes the place of the one before:
// on a terminal only.
func WriteUsage(w io.Writer, o TextOptions, title string, runs time.Duration, m Moment, first bool) error {
	const longest, beside = 24, 52 // columns: of a bar, and of what stands beside it
	wide := max(0, min(longest, o.columns()-beside))
	bar := func(used, of float64) string { return usageBar(used, of, wide, o.ASCII) }
	lines := []string{
		fmt.Sprintf("%s   runs for %s   (^C ends)", cleanLine(title), runs.Round(time.Second)),
		fmt.Sprintf("processor  %s %6.2f   of %s, made to wait %.0f %%", bar(m.Rates.CPU, m.CPUMax), m.Rates.CPU, limitText(int64(100*m.CPUMax), hundredths), 100*m.Rates.Throttled),
		fmt.Sprintf("memory     %s %6s   of %s, killed for it: %s", bar(float64(m.Memory), float64(m.MemoryMax)), bytesText(m.Memory), limitText(m.MemoryMax, bytesText), countText(m.Killed)),
		fmt.Sprintf("processes  %s %6s   of %s, refused: %s", bar(float64(m.Pids), float64(m.PidsMax)), countText(m.Pids), limitText(m.PidsMax, countText), countText(m.Refused)),
		fmt.Sprintf("disk       read %s/s, written %s/s", bytesText(int64(m.Rates.Read)), bytesText(int64(m.Rates.Written))),
		"waited     " + waitedText(m.Waited),
		"",
	}
	var b strings.Builder
	if !first { // back up to the first line: ECMA-48, CUU
		fmt.Fprintf(&b, "\x1b[%dA", usageBlock)
	}
	for _, l := range lines {
		b.WriteString("\r " + cut(l, o.columns()-1) + "\x1b[K\n") // EL: what stood there goes
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// usageBar draws a share of a limit, so many columns wide; without one it stays empty.
func usageBar(used, of float64, wide int, ascii bool) string {
	full, empty := "█", "░"
	if ascii {
		full, empty = "#", "."
	}
	n := 0
	if of > 0 && used > 0 {
		n = min(wide, max(1, int(float64(wide)*used/of+0.5)))
	}
	return strings.Repeat(full, n) + strings.Repeat(empty, wide-n)
}

// bytesText writes a size as people do: 12.3M.
func bytesText(n int64) string {
	if n < 0 {
		return "-"
	}
	value, unit := float64(n), ""
	for _, next := range []string{"K", "M", "G", "T"} {
		if value < 1000 {
			break
		}
		value, unit = value/1024, next
	}
	if unit == "" || value >= 100 {
		return fmt.Sprintf("%.0f%s", value, unit)
	}
	return fmt.Sprintf("%.1f%s", value, unit)
}

func countText(n int64) string {
	if n < 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

func hundredths(n int64) string { return fmt.Sprintf("%.2f", float64(n)/100) }

// limitText says that there is no limit, or how much it is.
func limitText(n int64, text func(int64) string) string {
	if n < 0 {
		return "no max"
	}
	return text(n)
}

// waitedText lists the shares of time in which somebody waited.
func waitedText(shares map[string]float64) string {
	var parts []string
	for _, name := range []string{"processor", "memory", "disk"} {
		if share, told := shares[name]; told {
			parts = append(parts, fmt.Sprintf("%s %.1f %%", name, share))
		}
	}
	if len(parts) == 0 {
		return "not told: pressure (PSI) of a group takes cgroup v2"
	}
	return "for " + strings.Join(parts, ", ") + " of the last 10 s"
}
