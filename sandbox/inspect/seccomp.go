package inspect

import "strconv"

// seccompModes names the values of the Seccomp line (proc_pid_status(5)).
var seccompModes = map[string]string{"0": "disabled", "1": "strict", "2": "filter"}

// seccomp adds the seccomp state of p. The filters themselves can be read only
// by tracing the process; their number is all that /proc tells (since 5.9).
func (s *survey) seccomp(p place, status map[string]string) {
	mode, known := seccompModes[status["Seccomp"]]
	if !known {
		mode = status["Seccomp"] // absent where the kernel has no seccomp
	}
	d := Detail{}.with("mode", mode).with("filters", status["Seccomp_filters"])
	switch status["NoNewPrivs"] {
	case "0":
		d = d.with("no_new_privs", "no")
	case "1":
		d = d.with("no_new_privs", "yes")
	}
	s.add(Object{Kind: Seccomp, ID: strconv.Itoa(p.pid), Where: p.proc + "/status", Detail: d})
}
