package doctor

import (
	"fmt"
	"strings"

	"cutaway/sandbox/features"
)

// cgroups looks at the hierarchies: the lab works with any, but its lessons show
// the one of version 2.
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
	found := fmt.Sprintf("%s, with %s", c.Mode, strings.Join(have, " "))
	switch {
	case c.Mode == features.None:
		return Finding{Check: check, Level: Limited, Found: "no hierarchy is mounted", Cause: "stages 08-cgroup and 10-limits cannot be done",
			Fix: m.unify()}
	case len(missing) > 0:
		return Finding{Check: check, Level: Limited, Found: found,
			Cause: "no hierarchy has the controllers " + strings.Join(missing, " "), Fix: m.unify()}
	case c.Mode != features.Unified:
		return Finding{Check: check, Level: Limited, Found: found,
			Cause: "the controllers are in hierarchies of version 1: the stages work, and call the files what they were called there",
			Fix:   m.unify()}
	}
	return fine(check, "%s", found)
}

// unify is how a machine gets the one hierarchy of version 2. Where systemd mounts
// it, its own argument says so (systemd(1), kernel command line); OpenRC has a
// setting.
func (m Machine) unify() string {
	manager, _ := m.read("proc/1/comm")
	switch {
	case m.wsl():
		return wslConfig("kernelCommandLine = cgroup_no_v1=all")
	case m.Packages.Manager() == alpine:
		return `echo 'rc_cgroup_mode="unified"' | sudo tee -a /etc/rc.conf && sudo rc-update add cgroups && sudo reboot`
	case m.Features.Cgroup.Mode == features.None && manager != "systemd":
		return "sudo mount -t cgroup2 cgroup2 /sys/fs/cgroup"
	}
	return m.bootArgument("systemd.unified_cgroup_hierarchy=1")
}
