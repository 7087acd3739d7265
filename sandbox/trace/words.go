package trace

import (
	"fmt"
	"strings"

	"cutaway/sandbox/inspect"
)

// words gives each kind its name in running text, one and several.
var words = map[inspect.Kind][2]string{
	inspect.Mnt:      {"mount namespace", "mount namespaces"},
	inspect.UTS:      {"UTS namespace", "UTS namespaces"},
	inspect.PID:      {"PID namespace", "PID namespaces"},
	inspect.IPC:      {"IPC namespace", "IPC namespaces"},
	inspect.Net:      {"network namespace", "network namespaces"},
	inspect.User:     {"user namespace", "user namespaces"},
	inspect.CgroupNS: {"cgroup namespace", "cgroup namespaces"},
	inspect.Time:     {"time namespace", "time namespaces"},
	inspect.Process:  {"process", "processes"},
	inspect.Caps:     {"set of capabilities", "sets of capabilities"},
	inspect.Seccomp:  {"seccomp state", "seccomp states"},
	inspect.Rlimits:  {"set of resource limits", "sets of resource limits"},
	inspect.IDMap:    {"id map", "id maps"},
	inspect.Mount:    {"mount", "mounts"},
	inspect.Overlay:  {"overlay", "overlays"},
	inspect.Cgroup:   {"control group", "control groups"},
	inspect.Link:     {"link", "links"},
	inspect.Addr:     {"address", "addresses"},
	inspect.Route:    {"route", "routes"},
	inspect.Nft:      {"nf_tables object", "nf_tables objects"},
	inspect.Shm:      {"shared memory segment", "shared memory segments"},
	inspect.Sem:      {"semaphore set", "semaphore sets"},
	inspect.Msg:      {"message queue", "message queues"},
	inspect.Mqueue:   {"POSIX message queue", "POSIX message queues"},
	inspect.Device:   {"device", "devices"},
	inspect.Sysctl:   {"kernel parameter", "kernel parameters"},
	inspect.Dir:      {"directory", "directories"},
	inspect.Blob:     {"blob", "blobs"},
}

// count says "1 mount", "3 mounts"; a kind it has no words for keeps its own.
func count(n int, k inspect.Kind) string {
	w, known := words[k]
	if !known {
		w = [2]string{string(k), string(k)}
	}
	return plural(n, w[0], w[1])
}

// plural says "1 step", "2 steps".
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// kindsOf names kinds in a sentence: "mount, network namespace".
func kindsOf(kinds []inspect.Kind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = strings.TrimPrefix(count(1, k), "1 ")
	}
	return strings.Join(names, ", ")
}

// nameOf is what an object is called where its kind is not in a column beside
// it: the id alone if that already says the kind, as "uts:[4026532301]" and
// "mount 512" do, the kind and the id otherwise.
func nameOf(o inspect.Object) string {
	k := string(o.Kind)
	if strings.HasPrefix(o.ID, k+":") || strings.HasPrefix(o.ID, k+" ") {
		return o.ID
	}
	return k + " " + o.ID
}

// factsOf lists an object's details as "key value", in their order. A value
// that says its key itself, as "uts:[4026532301]" does, stands alone.
func factsOf(d inspect.Detail) []string {
	facts := make([]string, 0, len(d))
	for _, f := range d {
		fact := strings.TrimSpace(f.Key + " " + f.Value)
		if strings.HasPrefix(f.Value, f.Key+":") {
			fact = f.Value
		}
		facts = append(facts, fact)
	}
	return facts
}

// factLines puts as many facts on a line of at most w cells as fit, commas
// between them. A fact that needs several lines goes on two cells further in.
func factLines(d inspect.Detail, w int) []string {
	var lines []string
	line := ""
	for _, fact := range factsOf(d) {
		if line != "" && width(line)+2+width(fact) <= w {
			line += ", " + fact
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		parts := fill(strings.Split(fact, " "), " ", w, 2)
		lines = append(lines, parts[:len(parts)-1]...)
		line = parts[len(parts)-1]
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// shortName is what a stage is called on the command line: "uts" for "03-uts".
func shortName(slug string) string {
	if n, name, ok := strings.Cut(slug, "-"); ok && isNumber(n) {
		return name
	}
	return slug
}

// stageNumber is the number in a slug, without leading zeros: "3" for "03-uts".
func stageNumber(slug string) string {
	n, _, ok := strings.Cut(slug, "-")
	if !ok || !isNumber(n) {
		return ""
	}
	if n = strings.TrimLeft(n, "0"); n == "" {
		n = "0"
	}
	return n
}

func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
