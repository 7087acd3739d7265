package doctor

import (
	"fmt"
	"strconv"
	"strings"

	"cutaway/sandbox/features"
)

// oldest is the oldest kernel that the lab supports.
var oldest = features.Version{Major: 5, Minor: 10}

func (m Machine) kernel() Finding {
	const check = "kernel"
	f := m.Features
	if !f.Kernel.AtLeast(oldest) {
		return Finding{Check: check, Level: Broken, Found: "Linux " + f.Kernel.String(), Cause: "the lab supports Linux " + oldest.String() + " and newer",
			Fix: "cutaway tour --in vm; or boot a newer one"}
	}
	for _, err := range []error{f.HaveOverlayInUserNS(), f.HaveTimeNSByExec()} {
		if err != nil {
			return Finding{Check: check, Level: Limited, Found: "Linux " + f.Kernel.String(), Cause: err.Error(), Fix: "boot a newer kernel for all stages"}
		}
	}
	return fine(check, "Linux %s", f.Kernel)
}

// privileges tells what the caller may do.
func (m Machine) privileges() Finding {
	const check = "privileges"
	if !m.Features.Root() {
		f := Finding{Check: check, Level: Limited, Found: fmt.Sprintf("uid %d, not root", m.Features.EUID),
			Cause: "the stages make links, control groups and mounts of this machine's",
			Fix:   "sudo cutaway tour --in host; or the microVM, which needs no root"}
		if m.Lab {
			f.Fix = "sudo cutaway tour"
		}
		return f
	}
	if !m.admin() {
		return Finding{Check: check, Level: Broken, Found: "root without CAP_SYS_ADMIN", Cause: "something took it away: a container, or a service manager",
			Fix: "cutaway tour --in vm; or run the lab on the machine itself"}
	}
	return fine(check, "root, with CAP_SYS_ADMIN")
}

// admin reads from the effective set whether there is CAP_SYS_ADMIN, number 21:
// proc_pid_status(5), CapEff.
func (m Machine) admin() bool {
	status, _ := m.read("proc/self/status")
	_, after, _ := strings.Cut(status, "CapEff:\t")
	line, _, _ := strings.Cut(after, "\n")
	set, err := strconv.ParseUint(line, 16, 64)
	return err == nil && set&(1<<21) != 0
}
