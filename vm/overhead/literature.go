package overhead

import (
	"fmt"
	"strings"
)

// claim is something published, and what this lab has to set beside it.
type claim struct {
	says string
	// ours is a figure of this lab's that is comparable.
	ours figure
	// low and high are where it would agree.
	low, high float64
	// agrees, differs say what to make of it; the second under software emulation is emulated.
	agrees, differs, emulated string
}

// figure is a number made of medians: of one series, of two as a ratio, or of two
// as a difference.
type figure struct {
	measure, subject string
	over, minus      string // the other subject; one of them at most
}

// of gives the figure with its unit and how it came about; ok is false if it was
// not measured.
func (f figure) of(r *Result) (value float64, text string, ok bool) {
	m, _ := MeasureOf(f.measure)
	one := r.Find(f.measure, f.subject)
	if one == nil || len(one.Samples) == 0 {
		return 0, "", false
	}
	s := one.Summary()
	other := f.over + f.minus
	if other == "" {
		return s.Median, fmt.Sprintf("%s %s (%s, %d runs), %s, %s", number(s.Median), m.Unit, strings.Trim(s.interval(), "()"), s.N, m.Title, r.label(one)), true
	}
	base := r.Find(f.measure, other)
	if base == nil || len(base.Samples) == 0 {
		return 0, "", false
	}
	b := base.Summary()
	both := fmt.Sprintf("%s, %s and %s: %s and %s %s (%d and %d runs)", m.Title, r.label(one), r.label(base), number(s.Median), number(b.Median), m.Unit, s.N, b.N)
	if f.over != "" {
		return s.Median / b.Median, fmt.Sprintf("%s times; %s", number(s.Median/b.Median), both), true
	}
	return s.Median - b.Median, fmt.Sprintf("%s %s more; %s", number(s.Median-b.Median), m.Unit, both), true
}

// source is a publication.
type source struct {
	name, what string
	claims     []claim
}

// virtio is the row of a machine's network, however it is connected.
func (r *Result) virtio() string {
	for _, s := range r.Of("net.trip") {
		if s.Kind == Machine {
			return s.Subject
		}
	}
	return ""
}

// literature are the publications and their claims. Figures are facts of theirs;
// the words are ours.
func literature(r *Result) []source {
	translated := "Emulated in software, each block of instructions is translated before it is executed: that is QEMU's translator, and says nothing of virtual machines. KVM executes them as they are."
	return []source{
		{"Felter, Ferreira, Rajamony, Rubio: An Updated Performance Comparison of Virtual Machines and Linux Containers", "IBM RC25482, 2014; ISPASS 2015. Docker 1.0 and KVM on Linux 3.11, two Xeon processors, 10 Gbit/s Ethernet between two machines.", []claim{
			{says: "a container computes as fast as the host", ours: figure{measure: "cpu.integer", subject: "cutaway", over: baseline}, low: 0.93, high: 1.07,
				agrees: "There is nothing between the program and the processor.", differs: "Where nothing is between, a difference is of the scheduler or of what else runs: see the load above."},
			{says: "a KVM guest computes nearly as fast, when it is tuned", ours: figure{measure: "cpu.integer", subject: "microVM", over: baseline}, low: 0.9, high: 1.25,
				agrees: "The guest's instructions are executed by the processor itself.", differs: "A guest of one processor shares it with QEMU's other threads.", emulated: translated},
			{says: "bridge and NAT double the time of a round trip", ours: figure{measure: "net.trip", subject: "veth, br., NAT", over: loopback}, low: 1.5, high: 3,
				agrees: "Each packet passes veth, bridge and the packet filter, twice.", differs: "They passed through docker's NAT on the way to a second machine. Here both ends are on one, and waking the other program takes most of the time in either case."},
			{says: "KVM adds 30 us to a round trip", ours: figure{measure: "net.trip", subject: r.virtio(), minus: loopback}, low: 10, high: 60,
				agrees: "A packet wakes QEMU, which interrupts the guest.", differs: "Theirs has vhost in the kernel; here each packet goes through QEMU.", emulated: "The guest's network stack runs translated, and each packet goes through QEMU, where theirs has vhost in the kernel."},
			{says: "a container's files on a volume cost nothing", ours: figure{measure: "io.fsync", subject: "bubblewrap", over: hostDisk}, low: 0.67, high: 1.5,
				agrees: "A bind mount is the same file system.", differs: "It is the same file system, so what differs is the disk from one moment to the next: the quartiles of both lie far apart."},
			{says: "KVM does half as many operations on a disk", ours: figure{measure: "io.fsync", subject: "microVM", over: hostDisk}, low: 1.5, high: 3,
				agrees: "Each operation leaves the guest, and QEMU makes one of its own.", differs: "They had an SSD array and many operations at once; here one follows the other, and the guest's journal adds writes of its own.", emulated: "They had many operations at once on an SSD array. Here one follows the other, the guest's journal adds writes, and its kernel runs translated."},
		}},
		{"Manco et al.: My VM is Lighter (and Safer) than your Container", "SOSP 2017, LightVM: Xen with another toolstack, unikernels as guests.", []claim{
			{says: "fork and exec of a process take 1 ms", ours: figure{measure: "start.first", subject: baseline}, low: 0.3, high: 3,
				agrees: "A small static program, as theirs.", differs: "A slower machine, or one with other work."},
			{says: "a VM boots in 2.3 ms", ours: figure{measure: "start.first", subject: "microVM"}, low: 0, high: 23,
				agrees: "It would be a surprise.", differs: "A unikernel has no drivers to look for and no files to unpack; here a distribution's kernel boots, on QEMU.", emulated: "A unikernel has no drivers to look for and no files to unpack; here a distribution's kernel boots, and every instruction of that is translated."},
			{says: "docker takes a hundred times as long as that VM, so some 230 ms", ours: figure{measure: "start.first", subject: "docker"}, low: 100, high: 500,
				agrees: "Most of it is the way from the client by two daemons to runc.", differs: "Docker has changed since."},
		}},
		{"Firecracker: Specification", "SPECIFICATION.md of the project, enforced by its tests; EC2 I3.metal, KVM, a guest of 1 processor and 128 MiB, a kernel tuned for it, no serial console.", []claim{
			{says: "at most 125 ms until /sbin/init starts", ours: figure{measure: "start.first", subject: "microVM"}, low: 0, high: 125,
				agrees: "Ours counts the start of QEMU and of a program, too.", differs: "QEMU takes longer to start, the kernel is a distribution's, and ours counts until a program has written.", emulated: "Nearly all of it is translating and executing the kernel's start. Ours also counts the start of QEMU and of a program."},
			{says: "at most 5 MiB for the monitor beside the guest's memory", ours: figure{measure: "memory.vmm", subject: "microVM"}, low: 0, high: 5,
				agrees: "It would be a surprise: QEMU is a hundred times as much program.", differs: "QEMU has libraries and devices that are never used here.", emulated: "Most of it are translated instructions, which KVM needs not; and QEMU has libraries and devices that are never used here."},
			{says: "more than 95 % of the host's speed in computing", ours: figure{measure: "cpu.integer", subject: baseline, over: "microVM"}, low: 0.95, high: 1.1,
				agrees: "KVM lets the processor execute the guest.", differs: "One guest processor shares the machine with the monitor.", emulated: translated},
			{says: "60 us of network latency added", ours: figure{measure: "net.trip", subject: r.virtio(), minus: loopback}, low: 10, high: 120,
				agrees: "A tap device and one thread of the monitor, as theirs.", differs: "QEMU's network thread does more than theirs.", emulated: "The guest's end of the connection runs translated."},
		}},
	}
}

// Literature sets a result beside what is published, in Markdown.
func (r *Result) Literature() string {
	var b strings.Builder
	c := r.Conditions
	fmt.Fprintf(&b, "All figures of this lab's on this page are from one run: %s, %s; control groups %s; machines %s; %s. %s\n",
		c.Kernel, c.Machine, c.Cgroups, r.accelerator(), c.Date.UTC().Format("2 January 2006"), sentence(r.runs()))
	fmt.Fprintf(&b, "Load: %s.\n", r.load())
	for _, s := range literature(r) {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| published | this lab | | why |\n|---|---|---|---|\n", s.name, s.what)
		for _, one := range s.claims {
			fmt.Fprintf(&b, "| %s | %s |\n", one.says, strings.Join(one.beside(r), " | "))
		}
	}
	return b.String()
}

// beside gives our figure, whether it agrees, and why.
func (c claim) beside(r *Result) []string {
	value, text, ok := c.ours.of(r)
	switch {
	case !ok:
		return []string{"not measured", "", ""}
	case c.low <= value && value <= c.high:
		return []string{text, "agrees", c.agrees}
	case c.emulated != "" && r.Conditions.Accelerator != "kvm":
		return []string{text, "differs", c.emulated}
	}
	return []string{text, "differs", c.differs}
}

// sentence begins with a capital letter and ends with a full stop.
func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] + "." }
