package inspect

import (
	"os"
	"strconv"
	"strings"
)

// rlimitNames gives the RLIMIT_ name of each line of /proc/PID/limits
// (getrlimit(2)).
var rlimitNames = map[string]string{
	"Max cpu time":          "RLIMIT_CPU",
	"Max file size":         "RLIMIT_FSIZE",
	"Max data size":         "RLIMIT_DATA",
	"Max stack size":        "RLIMIT_STACK",
	"Max core file size":    "RLIMIT_CORE",
	"Max resident set":      "RLIMIT_RSS",
	"Max processes":         "RLIMIT_NPROC",
	"Max open files":        "RLIMIT_NOFILE",
	"Max locked memory":     "RLIMIT_MEMLOCK",
	"Max address space":     "RLIMIT_AS",
	"Max file locks":        "RLIMIT_LOCKS",
	"Max pending signals":   "RLIMIT_SIGPENDING",
	"Max msgqueue size":     "RLIMIT_MSGQUEUE",
	"Max nice priority":     "RLIMIT_NICE",
	"Max realtime priority": "RLIMIT_RTPRIO",
	"Max realtime timeout":  "RLIMIT_RTTIME",
}

// rlimits adds the resource limits of p.
func (s *survey) rlimits(p place) {
	path := p.proc + "/limits"
	text, err := os.ReadFile(path)
	if err != nil {
		s.gap("read limits", err)
		return
	}
	s.add(Object{Kind: Rlimits, ID: strconv.Itoa(p.pid), Where: path, Detail: parseLimits(string(text))})
}

// parseLimits reads the table of proc_pid_limits(5): a name with blanks in it,
// padded to a width, then soft limit, hard limit and unit. Equal limits are
// shown once.
func parseLimits(text string) Detail {
	var d Detail
	for line := range strings.Lines(text) {
		name, rest, found := strings.Cut(line, "  ")
		limit, known := rlimitNames[name]
		f := strings.Fields(rest)
		if !found || !known || len(f) < 2 {
			continue
		}
		value := "soft " + f[0] + ", hard " + f[1]
		if f[0] == f[1] {
			value = f[0]
		}
		// The names say what files, locks and processes count, not bytes and time.
		if unit := strings.Join(f[2:], ""); value != "unlimited" && (unit == "bytes" || unit == "seconds" || unit == "us") {
			value += " " + unit
		}
		d = d.with(limit, value)
	}
	return d
}
