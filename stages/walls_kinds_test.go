package stages

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"cutaway/sandbox/plan"
	"cutaway/sandbox/profile"
	"cutaway/sandbox/sys"
	"cutaway/stages/buildup"
)

// wall is one thing that refuses an attempt.
type wall struct {
	name string
	says []string // any of these is its refusal; nothing is "nothing is printed"
	way  string   // names put and remove; the same for walls that one change concerns
	// put adds it to the container, where it is not there by default; remove takes
	// it away.
	put, remove func(*wallTest, *plan.Spec)
	// stands reads from the kernel whether it is there, in a container of spec that
	// was changed.
	stands func(l *Look, spec plan.Spec) bool
	// around wraps the command where this is the only wall: some can be put up for
	// one process alone.
	around string
}

// refused reports whether what an attempt says is this wall's refusal.
func (x wall) refused(o Out) bool {
	return slices.ContainsFunc(x.says, func(s string) bool { return s != "" && o.Has(s) || s == "" && o.Text == "" })
}

// how names the refusal as the kernel gives it.
func (x wall) how() string {
	if x.says[0] == "" {
		return "reads as empty"
	}
	return x.says[0]
}

func (x wall) alone(command string) string {
	if x.around == "" {
		return command
	}
	return x.around + " /bin/sh -c " + quoted(command)
}

// eperms are the two forms of EPERM: probe's and a shell's.
var eperms = []string{"EPERM", "Operation not permitted", "permission denied (are you root?)"}

// lacking is a capability that root of a container lacks. It is the only wall where
// root has all others.
func lacking(names ...string) wall {
	return wall{name: "the missing capability CAP_" + names[0], says: eperms, way: "capabilities",
		remove: func(_ *wallTest, s *plan.Spec) { allCapabilities(s) },
		stands: func(l *Look, _ plan.Spec) bool { return !hasCap(l, names[0]) },
		around: "probe without " + strings.Join(names, ",")}
}

// dropped is one that it has unless it was dropped.
func dropped(name string) wall {
	x := lacking(name)
	x.put = func(_ *wallTest, s *plan.Spec) {
		s.Process.Capabilities = slices.DeleteFunc(slices.Clone(s.Process.Capabilities), func(c string) bool { return c == "CAP_"+name })
	}
	x.way = "CAP_" + name
	x.remove = nil
	return x
}

// saying is the same wall where it has another errno.
func (x wall) saying(errno string) wall {
	x.says = append([]string{errno}, forms[errno]...)
	return x
}

// hasCap reads the effective capabilities.
func hasCap(l *Look, name string) bool {
	text, err := readLine(l.proc("status"), "CapEff:")()
	var effective uint64
	if _, scanned := fmt.Sscanf(text, "CapEff: %x", &effective); err != nil || scanned != nil {
		return false
	}
	n, known := sys.CapNumber(name)
	return known && effective>>n&1 == 1
}

// filtered is the seccomp filter, by what it says of a call with these arguments.
func filtered(call string, args ...uint64) wall {
	return wall{name: "the seccomp filter on " + call, says: eperms, way: "filter",
		remove: func(_ *wallTest, s *plan.Spec) { noFilter(s) },
		stands: func(l *Look, spec plan.Spec) bool {
			mode, err := readLine(l.proc("status"), "Seccomp:")()
			verdict, _ := profile.Decide(*spec.Linux.Seccomp, call, args...)
			return err == nil && mode == "Seccomp: 2" && verdict == "ERRNO(EPERM)"
		}}
}

// namespaced is a namespace of the container's own.
func namespaced(name, file, says string, remove func(*plan.Spec)) wall {
	return wall{name: "the " + name + " namespace", says: append([]string{says}, forms[says]...), way: name,
		remove: func(_ *wallTest, s *plan.Spec) { remove(s) },
		stands: func(l *Look, _ plan.Spec) bool {
			inside, err := os.Readlink(l.proc("ns/" + file))
			outside, err2 := os.Readlink("/proc/self/ns/" + file)
			return err == nil && err2 == nil && inside != outside
		}}
}

// forms are what a shell says in place of an errno.
var forms = map[string][]string{
	"EPERM": eperms[1:], "EACCES": {"Permission denied"}, "EROFS": {"Read-only file system"}}

// users is the user namespace: what is the host's counts in the first one.
func users(says string) wall { return namespaced("user", "user", says, hostUsers) }

// pids hides every process but the container's own.
var pids = namespaced("PID", "pid", "ESRCH", func(s *plan.Spec) {
	s.Drop("pid")
	s.Linux.Proc = false // a user namespace may mount proc of its own PID namespace only
})

// links hides the host's links and whatever listens there.
func links(says string) wall {
	return namespaced("network", "net", says, func(s *plan.Spec) {
		s.Drop("network")
		s.Net.Mode = "host"
	})
}

// ownGroups is the cgroup namespace.
var ownGroups = namespaced("cgroup", "cgroup", "EPERM", func(s *plan.Spec) { s.Drop("cgroup") })

// onTop is a mount that covers path or makes it read-only.
func onTop(name, path string, says ...string) wall {
	return wall{name: name, says: says, way: "masks",
		remove: func(_ *wallTest, s *plan.Spec) { s.Linux.MaskedPaths, s.Linux.ReadonlyPaths = nil, nil },
		stands: func(l *Look, _ plan.Spec) bool {
			mounts, err := os.ReadFile(l.proc("mountinfo"))
			return err == nil && strings.Contains(string(mounts), " "+path+" ")
		}}
}

func hidden(path string) wall { return onTop("the masked path "+path, path, "") }
func readonly(path string) wall {
	return onTop("the read-only mount on "+path, path, "EROFS", "Read-only file system")
}

// pivoted is the mount namespace whose top is the container's root.
var pivoted = wall{name: "pivot_root in a mount namespace", says: []string{"the same directory"}, way: "pivot_root",
	remove: func(w *wallTest, s *plan.Spec) {
		*s = w.chrooted
	},
	stands: namespaced("mount", "mnt", "", nil).stands}

// locked is what a mount is where it came from a more privileged mount namespace:
// mount_namespaces(7), "Restrictions on mount namespaces". Who has CAP_SYS_ADMIN
// needs no user namespace to unmount in, and then nothing is locked.
var locked = wall{name: "the lock on mounts from another user namespace", says: []string{"EINVAL", "Invalid argument"}, way: "MAP",
	put:    func(_ *wallTest, s *plan.Spec) { s.Process.Env = buildup.Merge(s.Process.Env, []string{"MAP=-Ur"}) },
	remove: func(_ *wallTest, s *plan.Spec) { allCapabilities(s) },
	stands: func(l *Look, _ plan.Spec) bool { return !hasCap(l, "SYS_ADMIN") }}

// quoted makes one word of a command.
func quoted(command string) string { return "'" + strings.ReplaceAll(command, "'", `'\''`) + "'" }
