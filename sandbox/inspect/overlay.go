package inspect

import (
	"strconv"
	"strings"
)

// overlay adds the layers of an overlayfs mount, topmost first, as its options
// name them. A path is relative to the root the mounting process had.
func (s *survey) overlay(p place, m mountEntry) {
	d := Detail{}.with("target", m.target)
	s.add(Object{
		Kind:   Overlay,
		ID:     "mount " + strconv.Itoa(m.id),
		Where:  p.proc + "/mountinfo",
		Detail: append(append(d, overlayLayers(m.super)...), Field{Key: "in", Value: p.ns[Mnt]}),
	})
}

// overlayLayers reads the options of an overlay (kernel documentation,
// filesystems/overlayfs.rst). The lower layers are one list separated by
// colons, data-only ones after two; a mount made with fsconfig(2) names each on
// its own (since Linux 6.7).
func overlayLayers(options string) Detail {
	var lower, rest Detail
	for _, option := range splitEscaped(options, ',') {
		key, value, _ := strings.Cut(option, "=")
		switch key {
		case "lowerdir", "lowerdir+":
			for _, dir := range splitEscaped(value, ':') {
				if dir != "" {
					lower = lower.with("lower "+strconv.Itoa(len(lower)+1), plain(dir))
				}
			}
		case "datadir+":
			lower = lower.with("lower "+strconv.Itoa(len(lower)+1), plain(value))
		case "upperdir":
			rest = rest.with("upper", plain(value))
		case "workdir":
			rest = rest.with("work", plain(value))
		case "rw", "ro", "relatime":
		default:
			rest = rest.with(key, value)
		}
	}
	return append(lower, rest...)
}

// splitEscaped splits at sep but not where a backslash stands before it.
func splitEscaped(s string, sep byte) []string {
	var parts []string
	start := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case sep:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}

// plain removes the backslashes that protected a separator.
func plain(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
