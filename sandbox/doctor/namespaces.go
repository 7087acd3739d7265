package doctor

import (
	"slices"
	"strings"
)

// namespaces looks for each type.
func (m Machine) namespaces() Finding {
	const check = "namespaces"
	var missing, have []string
	level := Limited
	for _, ns := range []string{"mnt", "uts", "pid", "ipc", "net", "user", "cgroup", "time"} {
		if err := m.Features.HaveNamespace(ns); err != nil {
			missing = append(missing, err.Error())
			if slices.Contains([]string{"mnt", "pid"}, ns) || ns == "user" && !m.Features.Root() {
				level = Broken
			}
			continue
		}
		have = append(have, ns)
	}
	if len(missing) > 0 {
		return Finding{Check: check, Level: level, Found: "only " + strings.Join(have, " "), Cause: strings.Join(missing, "; "),
			Fix: "cutaway tour --in vm; or boot a kernel that has them"}
	}
	return fine(check, "%s", strings.Join(have, " "))
}

// toggle is a setting of the kernel that can forbid namespaces.
type toggle struct {
	key, forbids string
	wanted       string
	ordinary     bool // stops only those who are not root
	cause        string
}

// toggles: the first is Debian's own, the second Ubuntu's, the others are in
// namespaces(7).
var toggles = []toggle{
	{"kernel.unprivileged_userns_clone", "0", "1", true, "only root may make user namespaces"},
	{"kernel.apparmor_restrict_unprivileged_userns", "1", "0", true, "AppArmor lets only programs it knows use a user namespace, as Ubuntu has it since 23.10"},
	{"user.max_user_namespaces", "0", "10000", false, "nobody may make a user namespace"},
	{"user.max_mnt_namespaces", "0", "10000", false, "nobody may make a mount namespace"},
	{"user.max_pid_namespaces", "0", "10000", false, "nobody may make a PID namespace"},
	{"user.max_net_namespaces", "0", "10000", false, "nobody may make a network namespace"},
	{"user.max_uts_namespaces", "0", "10000", false, "nobody may make a UTS namespace"},
	{"user.max_ipc_namespaces", "0", "10000", false, "nobody may make an IPC namespace"},
	{"user.max_cgroup_namespaces", "0", "10000", false, "nobody may make a cgroup namespace"},
	{"user.max_time_namespaces", "0", "10000", false, "nobody may make a time namespace"},
}

// switches names each setting that forbids what the lab is about to do.
func (m Machine) switches() []Finding {
	var findings []Finding
	for _, t := range toggles {
		value, ok := m.read("proc/sys/" + strings.ReplaceAll(t.key, ".", "/"))
		if !ok || value != t.forbids {
			continue // a switch this kernel does not have forbids nothing
		}
		f := Finding{Check: "setting", Level: Broken, Found: t.key + " is " + t.forbids, Cause: t.cause,
			Fix: "echo " + t.key + "=" + t.wanted + " | sudo tee -a /etc/sysctl.d/60-cutaway.conf && sudo sysctl -p /etc/sysctl.d/60-cutaway.conf"}
		if t.ordinary && m.Features.Root() {
			f.Level = Limited
			f.Cause += "; as root you are not stopped"
		}
		findings = append(findings, f)
	}
	return findings
}
