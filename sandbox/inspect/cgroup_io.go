package inspect

import (
	"path/filepath"
	"strconv"
	"strings"
)

// v1Throttle joins four v1 files into the form of io.max, "8:0 rbps=1048576".
func v1Throttle(_, dir string) string {
	var out []string
	for _, f := range []struct{ file, key string }{
		{"read_bps", "rbps"}, {"write_bps", "wbps"}, {"read_iops", "riops"}, {"write_iops", "wiops"},
	} {
		text, err := readText(filepath.Join(dir, "blkio.throttle."+f.file+"_device"))
		if err != nil {
			continue
		}
		for line := range strings.Lines(text) {
			if dev, limit, found := strings.Cut(strings.TrimSpace(line), " "); found {
				out = append(out, dev+" "+f.key+"="+limit)
			}
		}
	}
	return strings.Join(out, "; ")
}

// allDisks adds up a number that a file has for each disk: v2 writes a line
// "8:0 rbytes=1024 wbytes=0 ...", v1 a line "8:0 Read 1024".
func allDisks(text, key string) string {
	total := uint64(0)
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		for i, word := range f {
			value, found := strings.CutPrefix(word, key+"=")
			if i == 1 && word == key && len(f) == 3 {
				value, found = f[2], true
			}
			if n, err := strconv.ParseUint(value, 10, 64); found && err == nil {
				total += n
			}
		}
	}
	return strconv.FormatUint(total, 10)
}
