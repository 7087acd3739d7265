package trace

import (
	"maps"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	palette = regexp.MustCompile(`(?s):root \{(.*?)\}`)
	swatch  = regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]+);`)
)

// palettes are the colours of a style sheet: light first, then what others have
// in place of that.
func palettes(css string) map[string]map[string]string {
	out := map[string]map[string]string{}
	names := []string{"light", "dark", "paper"}
	light := map[string]string{}
	for i, block := range palette.FindAllStringSubmatch(css, -1) {
		colors := maps.Clone(light)
		for _, c := range swatch.FindAllStringSubmatch(block[1], -1) {
			colors[c[1]] = c[2]
		}
		if i == 0 {
			light = colors
		}
		out[names[i]] = colors
	}
	return out
}

// contrast is the ratio of two colours' relative luminances: WCAG 2.2, "contrast
// ratio".
func contrast(t *testing.T, a, b string) float64 {
	la, lb := luminance(t, a), luminance(t, b)
	return (math.Max(la, lb) + 0.05) / (math.Min(la, lb) + 0.05)
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	digits := strings.TrimPrefix(hex, "#")
	if len(digits) == 3 {
		digits = string([]byte{digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]})
	}
	require.Len(t, digits, 6, "a colour: %q", hex)
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(digits[2*i:2*i+2], 16, 8)
		require.NoError(t, err)
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
