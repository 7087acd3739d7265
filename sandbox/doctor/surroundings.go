package doctor

import (
	"os"
	"path/filepath"
	"strings"
)

// first are the inodes of the namespaces a kernel starts with: PROC_USER_INIT_INO
// and its neighbours in include/linux/proc_ns.h.
var first = map[string]string{
	"user": "user:[4026531837]", "pid": "pid:[4026531836]", "uts": "uts:[4026531838]",
	"ipc": "ipc:[4026531839]", "cgroup": "cgroup:[4026531835]",
}

// surroundings tells what kind of machine this is.
func (m Machine) surroundings() Finding {
	const check = "surroundings"
	if what := m.container(); what != "" {
		return Finding{Check: check, Level: Limited, Found: "inside a container: " + what,
			Cause: "on this host the lab sees, and may do, what the outer container lets it",
			Fix:   "cutaway tour --in vm, which needs nothing of that; or leave the container"}
	}
	switch {
	case m.wsl():
		return fine(check, "WSL2, a virtual machine of Windows")
	case m.Lab:
		return fine(check, "a lab machine: containers are built here")
	}
	return fine(check, "the machine itself, not a container")
}

// container says by what this is inside a container, or "". A user or PID
// namespace that is not the first is proof. Others may have been left for less;
// then it takes a mark as well. A mark alone proves nothing: the image of a whole
// machine may have been made in a container.
func (m Machine) container() string {
	var other string
	for _, ns := range []string{"user", "pid", "cgroup", "ipc", "uts"} {
		is, err := os.Readlink(filepath.Join(m.Root, "proc/self/ns", ns))
		if err == nil && is != first[ns] {
			other = "its " + ns + " namespace is not the first, " + is
			break
		}
	}
	mark := m.mark()
	switch proof := strings.HasPrefix(other, "its user") || strings.HasPrefix(other, "its pid"); {
	case other == "", !proof && mark == "":
		return ""
	case mark == "":
		return other
	}
	return other + ", and " + mark
}

// mark finds what a container's maker has left: /.dockerenv docker,
// /run/.containerenv podman; systemd(1) wants a variable called container for
// process 1, which others set too.
func (m Machine) mark() string {
	for file, program := range map[string]string{".dockerenv": "docker", "run/.containerenv": "podman"} {
		if _, err := os.Stat(filepath.Join(m.Root, file)); err == nil {
			return "there is /" + file + ", which " + program + " makes"
		}
	}
	environment, _ := m.read("proc/1/environ")
	for variable := range strings.SplitSeq(environment, "\x00") {
		if name, value, _ := strings.Cut(variable, "="); name == "container" && value != "" {
			return "process 1 has " + variable + " in its environment"
		}
	}
	return ""
}

// wsl tells the kernel that Windows runs Linux programs on:
// 6.6.87.2-microsoft-standard-WSL2, say.
func (m Machine) wsl() bool {
	release, _ := m.read("proc/sys/kernel/osrelease")
	return strings.Contains(strings.ToLower(release), "microsoft")
}
