package doctor

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"cutaway/sandbox/features"
	"cutaway/sandbox/inspect"
	"cutaway/sandbox/sys"
)

// oldest is the oldest kernel that the lab supports.
var oldest = features.Version{Major: 5, Minor: 10}

func (m Machine) kernel() Finding {
	const check = "kernel"
	f := m.Features
	if !f.Kernel.AtLeast(oldest) {
		return Finding{Check: check, Level: Broken, Found: "Linux " + f.Kernel.String(), Cause: "the lab supports Linux " + oldest.String() + " and newer",
			Fix: "boot a newer kernel"}
	}
	for _, err := range []error{f.HaveOverlayInUserNS(), f.HaveTimeNSByExec()} {
		if err != nil {
			return Finding{Check: check, Level: Limited, Found: "Linux " + f.Kernel.String(), Cause: err.Error(), Fix: "boot a newer kernel for all stages"}
		}
	}
	return fine(check, "Linux %s", f.Kernel)
}

// root tells what the caller may do.
func (m Machine) root() Finding {
	const check = "privileges"
	if !m.Features.Root() {
		return Finding{Check: check, Level: Limited, Found: fmt.Sprintf("uid %d, not root", m.Features.EUID),
			Cause: "the stages make links, control groups and mounts of the host's",
			Fix:   "sudo cutaway ...; without root there is cutaway run --net none -u 0 built-in sh"}
	}
	admin, err := hasAdmin()
	if err != nil || !admin {
		return Finding{Check: check, Level: Broken, Found: "root without CAP_SYS_ADMIN", Cause: "something took it away: a container, or a service manager",
			Fix: "run the lab on the machine itself, or in a virtual one"}
	}
	return fine(check, "root, with CAP_SYS_ADMIN")
}

// hasAdmin reads the effective capabilities: proc_pid_status(5), CapEff.
func hasAdmin() (bool, error) {
	s, err := inspect.OfProcess(os.Getpid())
	if err != nil {
		return false, err
	}
	for _, caps := range s.Of(inspect.Caps) {
		effective := caps.Detail.Get("effective")
		return strings.Contains(effective, "CAP_SYS_ADMIN") || strings.HasPrefix(effective, "all"), nil
	}
	return false, nil
}

// The inodes of the namespaces the kernel starts with: PROC_USER_INIT_INO and
// PROC_PID_INIT_INO in include/linux/proc_ns.h.
const firstUserNS, firstPIDNS = "user:[4026531837]", "pid:[4026531836]"

// nesting tells whether this is inside a container already.
func (m Machine) nesting() Finding {
	const check = "surroundings"
	in := func(what string) Finding {
		return Finding{Check: check, Level: Limited, Found: what, Cause: "here the lab sees, and may do, what the outer container lets it",
			Fix: "run the lab on the machine itself, or in a virtual one"}
	}
	if user, err := os.Readlink("/proc/self/ns/user"); err == nil && user != firstUserNS {
		return in("inside a user namespace: " + user)
	}
	if pid, err := os.Readlink("/proc/self/ns/pid"); err == nil && pid != firstPIDNS {
		return in("inside a PID namespace: " + pid)
	}
	return fine(check, "the machine itself, not a container")
}

// namespaces looks for each type, and for the switches that forbid them.
func (m Machine) namespaces() []Finding {
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
	findings := []Finding{fine(check, "%s", strings.Join(have, " "))}
	if len(missing) > 0 {
		findings[0] = Finding{Check: check, Level: level, Found: "only " + strings.Join(have, " "), Cause: strings.Join(missing, "; "),
			Fix: "boot a kernel that has them"}
	}
	return append(findings, m.switches()...)
}

// toggle is a setting of the kernel that can forbid namespaces.
type toggle struct {
	key, forbids string
	wanted       string
	ordinary     bool // stops only those who are not root
	cause        string
}

var toggles = []toggle{
	{"kernel.unprivileged_userns_clone", "0", "1", true, "only root may make user namespaces"},
	{"kernel.apparmor_restrict_unprivileged_userns", "1", "0", true, "AppArmor lets only programs it knows use a user namespace, as Ubuntu has it since 23.10"},
	{"user.max_user_namespaces", "0", "10000", false, "nobody may make a user namespace"},
	{"user.max_mnt_namespaces", "0", "10000", false, "nobody may make a mount namespace"},
	{"user.max_pid_namespaces", "0", "10000", false, "nobody may make a PID namespace"},
	{"user.max_net_namespaces", "0", "10000", false, "nobody may make a network namespace"},
}

// switches names each setting that forbids what the lab is about to do.
func (m Machine) switches() []Finding {
	var findings []Finding
	for _, t := range toggles {
		value, err := os.ReadFile("/proc/sys/" + strings.ReplaceAll(t.key, ".", "/"))
		if err != nil || strings.TrimSpace(string(value)) != t.forbids {
			continue // a switch this kernel does not have forbids nothing
		}
		f := Finding{Check: "setting", Level: Broken, Found: t.key + " is " + t.forbids, Cause: t.cause, Fix: "sudo sysctl -w " + t.key + "=" + t.wanted}
		if t.ordinary && m.Features.Root() {
			f.Level = Limited
			f.Cause += "; as root you are not stopped"
		}
		findings = append(findings, f)
	}
	return findings
}

func (m Machine) cgroups() Finding {
	const check = "control groups"
	c := m.Features.Cgroup
	var have, missing []string
	for _, name := range features.Controllers {
		if m.Features.HaveController(name) == nil {
			have = append(have, name)
		} else {
			missing = append(missing, name)
		}
	}
	switch {
	case c.Mode == features.None:
		return Finding{Check: check, Level: Limited, Found: "no hierarchy is mounted", Cause: "stages 08-cgroup and 10-limits cannot be done",
			Fix: "sudo mount -t cgroup2 cgroup2 /sys/fs/cgroup"}
	case len(missing) > 0:
		return Finding{Check: check, Level: Limited, Found: fmt.Sprintf("%s, with %s", c.Mode, strings.Join(have, " ")),
			Cause: "no hierarchy has the controllers " + strings.Join(missing, " "), Fix: "boot with systemd.unified_cgroup_hierarchy=1, or cgroup_no_v1=all"}
	}
	return fine(check, "%s, with %s", c.Mode, strings.Join(have, " "))
}

// driver is a part of the kernel that may be built in, loaded, or a file. Its
// symbol is listed where it is in the kernel now.
type driver struct {
	module, symbol string
	without        string
	level          Level
}

var drivers = []driver{
	{"overlay", "ovl_fill_super", "a root of layers, so 13-overlay and all after it, and cutaway run", Broken},
	{"veth", "veth_newlink", "the cable of 06-net; cutaway run works with --net none", Limited},
	{"bridge", "br_dev_newlink", "the switch of 06-net; cutaway run works with --net none", Limited},
	{"nf_tables", "nf_tables_newtable", "the address translation of 06-net; cutaway run works with --net none", Limited},
}

// drivers looks for each driver in the kernel, then among the modules it could
// load.
func (m Machine) drivers() []Finding {
	here := symbols(drivers)
	release, err := sys.KernelRelease()
	var findings []Finding
	for _, d := range drivers {
		switch {
		case here[d.symbol]:
			findings = append(findings, fine(d.module, "in the kernel"))
		case err == nil && loadable(release, d.module):
			findings = append(findings, fine(d.module, "a module, loaded when it is needed"))
		case here == nil:
			findings = append(findings, Finding{Check: d.module, Level: Limited, Found: "not known: /proc/kallsyms cannot be read", Cause: "if it is missing, so is " + d.without})
		default:
			findings = append(findings, Finding{Check: d.module, Level: d.level, Found: "neither in the kernel nor among its modules",
				Cause: "without it there is no " + d.without, Fix: "install the modules of kernel " + release + ", or boot one that has " + d.module})
		}
	}
	return findings
}

// symbols looks up the drivers' symbols: proc_kallsyms(5). Addresses may be
// hidden from ordinary users, names are not. nil says that it cannot be read.
func symbols(wanted []driver) map[string]bool {
	f, err := os.Open("/proc/kallsyms")
	if err != nil {
		return nil
	}
	defer f.Close()
	found := map[string]bool{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 3 {
			continue
		}
		// A compiler may have split it into parts: ovl_fill_super.cold.
		name, _, _ := strings.Cut(fields[2], ".")
		for _, d := range wanted {
			if d.symbol == name {
				found[name] = true
			}
		}
	}
	return found
}

// loadable reports whether the running kernel has a module file: modules.dep(5).
func loadable(release, module string) bool {
	for _, list := range []string{"modules.dep", "modules.builtin"} {
		text, err := os.ReadFile(filepath.Join("/lib/modules", release, list))
		if err == nil && strings.Contains(string(text), "/"+module+".ko") {
			return true
		}
	}
	return false
}
