package stages

import (
	"fmt"
	"strings"
	"syscall"

	"cutaway/sandbox/plan"
	"cutaway/sandbox/profile"
	"cutaway/stages/buildup"
)

// attempt is a call that probe calls makes, by its name there: the system call
// and the arguments that a rule may ask for.
type attempt struct {
	name, syscall string
	args          []uint64
}

// attempts has calls of every kind that a profile knows.
var attempts = []attempt{
	{name: "chown", syscall: "fchownat"},
	{name: "chroot", syscall: "chroot"},
	{name: "ptrace", syscall: "ptrace"},
	{name: "mount", syscall: "mount"},
	{name: "unshare-user", syscall: "unshare"},
	{name: "clone-user", syscall: "clone", args: []uint64{syscall.CLONE_NEWUSER | uint64(syscall.SIGCHLD)}},
	{name: "clone3", syscall: "clone3"},
	{name: "raw-socket", syscall: "socket", args: []uint64{syscall.AF_INET}},
	{name: "vsock", syscall: "socket", args: []uint64{40}},                 // AF_VSOCK
	{name: "personality", syscall: "personality", args: []uint64{0x40000}}, // ADDR_NO_RANDOMIZE
	{name: "keyctl", syscall: "keyctl"},
	{name: "bpf", syscall: "bpf"},
}

// manyCalls is the command that makes them all.
func manyCalls() string {
	names := make([]string, len(attempts))
	for i, a := range attempts {
		names[i] = a.name
	}
	return "probe calls " + strings.Join(names, " ")
}

// results reads what probe calls prints: a name and "ok" or an errno.
func results(o Out) map[string]string {
	got := map[string]string{}
	for line := range strings.Lines(o.Text) {
		if name, result, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			got[name] = result
		}
	}
	return got
}

// lookDecisions puts the results with the filter and without it side by side,
// with the rule that decides; the rules must account for every difference.
func lookDecisions(l *Look, filtered, free Out, failed error) {
	with, without := results(filtered), results(free)
	table, ok := fmt.Sprintf("%-14s%-10s%-8s%s", "call", "no filter", "filter", "by the profile"), failed == nil
	for _, a := range attempts {
		verdict, rule := profile.Decide(*l.Materials.Seccomp, a.syscall, a.args...)
		expected := without[a.name]
		if errno, refused := strings.CutPrefix(verdict, "ERRNO("); refused {
			expected = strings.TrimSuffix(errno, ")")
		}
		by := fmt.Sprintf("rule %d: %s", rule, verdict)
		if rule == 0 {
			by = "no rule: " + verdict
		}
		ok = ok && with[a.name] != "" && with[a.name] == expected
		table += fmt.Sprintf("\n%-14s%-10s%-8s%s", a.name, without[a.name], with[a.name], by)
	}
	if failed != nil {
		table = failed.Error()
	}
	l.report(l.inside(), manyCalls()+"   # in both", Out{Text: table}, "what the filter refuses, and by which rule", ok)
}

// lookProfile shows the profile whole, and beside docker's.
func lookProfile(l *Look) {
	p := *l.Materials.Seccomp
	l.Outside("cat profile.json   # rule by rule", "the first rule that a call meets decides",
		func() (string, error) { return strings.Join(profile.Rules(p), "\n"), nil },
		func(text string) bool { return strings.Contains(text, "ERRNO(EPERM)") })
	l.Note("a call that no rule names, and why: %s", profile.Explain(p, "mount"))
	docker, err := profile.Docker(buildup.Capabilities)
	c := profile.Compare(p, docker)
	l.Outside("diff profile.json docker's.json", "it is the default of docker, by docker's own code on this kernel",
		func() (string, error) {
			return fmt.Sprintf("of this machine's system calls both allow %d, both refuse %d,\n%d depend on their arguments alike; decided differently: %d %s",
				c.Allowed, c.Refused, c.Depends, len(c.Differ), strings.Join(c.Differ, " ")), err
		}, func(string) bool { return len(c.Differ) == 0 && c.Allowed > 100 && sameCapabilities(l.Container.Spec) })
}

// sameCapabilities checks that the profile is for what the container has: it
// allows more to who may do more.
func sameCapabilities(s plan.Spec) bool {
	return strings.Join(s.Process.Capabilities, " ") == strings.Join(buildup.Capabilities, " ")
}
