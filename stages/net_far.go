package stages

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"cutaway/sandbox/inspect"
	"cutaway/sandbox/op"
	"cutaway/sandbox/plan"
	"cutaway/stages/buildup"
)

// lookWorld sends packets to a machine that has no route back, and has that
// machine come in by the published port.
func lookWorld(ctx context.Context, l *Look) {
	l.Note("an outside world: a container on a wire of its own, which has never heard of %s", bare(l.Container.Spec.Net.Address))
	w, err := startWorld(ctx, l)
	if !l.started(err) {
		return
	}
	defer l.ended(w.Look)
	w.Inside("ip route", "no way to the first container's network", func(o Out) bool {
		return o.Has(w.net.String()) && !o.Has("default") && !o.Has(bare(l.Container.Spec.Net.Gateway))
	})
	if why := l.barred(w.address.String()); why != "" {
		lookBarred(l, w, why)
		return
	}
	lookPath(l, w)
	l.Inside(get(w.address.String(), buildup.WebPort, "/cgi-bin/who")+" | tail -n 1", "the world answers, and takes us for the host: masquerade",
		func(o Out) bool { return strings.Contains(o.Text, "you are ") && o.Has(w.gateway.String()) })
	lookDNS(l, w)
	host := l.Container.Spec.Net.Ports[0].HostPort
	w.Inside(get(w.gateway.String(), host, "/")+" | grep h1", "the published port, from outside: the host's address leads to the container",
		func(o Out) bool { return o.Has("Hello from inside a container") })
	l.Inside(get(w.gateway.String(), host, "/")+" | grep h1", "and from the container itself: out by its cable, and in by it again (hairpin)",
		func(o Out) bool { return o.Has("Hello from inside a container") })
}

// get is a command that fetches a page: the image's wget is not to be trusted
// with names, and nc shows all there is to it.
func get(address string, port int, path string) string {
	return fmt.Sprintf(`printf 'GET %s HTTP/1.0\r\n\r\n' | nc -w 2 %s %d`, path, address, port)
}

// lookBarred shows where packets end on a host that drops what it forwards.
func lookBarred(l *Look, w world, why string) {
	bridge := l.Container.Spec.Net.Bridge
	l.Note("this host drops what it forwards unless a rule allows it: %s (docker sets such a policy). No rule in the lab's own table can allow it, "+
		"for each table has its own say. So what follows does not get out, on purpose. To let it: iptables -I FORWARD -i %s -j ACCEPT and -o %s likewise, or in DOCKER-USER", why, bridge, bridge)
	h, err := startHops(l, w)
	if err != nil {
		l.failed("count packets", err)
		return
	}
	h.list = h.list[:h.index("postrouting")+1]
	l.Inside("ping -c 3 -i 0.1 -W 1 -q "+w.address.String(), "nothing comes back", func(o Out) bool { return o.Has("100% packet loss") })
	l.Outside("ip -s link; nft list table ip "+h.count.Table, "they reach the forward hook, and that is the end of them", h.table, func(string) bool {
		return h.rise("forward") >= 3 && h.rise("postrouting") == 0
	})
}

// lookPath follows packets there and back, by the counters on their way.
func lookPath(l *Look, w world) {
	h, err := startHops(l, w)
	if err != nil {
		l.failed("count packets", err)
		return
	}
	l.Note("now three packets to the world, and every counter on their way is read before and after. The lab has put a table of counters beside its own rules; links count everything, ARP and IPv6 too")
	l.Inside("ping -c 3 -i 0.1 -W 2 -q "+w.address.String(), "there and back", received(3))
	l.Outside("ip -s link; nft list table ip "+h.count.Table, "hop by hop: after postrouting they come from the host", h.table, h.all)
}

// hop is a place that a packet comes by, and how many came so far.
type hop struct {
	where, packet string
	read          func(counters) int
	before, after int
}

// counters are those of one moment: the chains of the counting table, and the
// links as /proc/PID/net/dev has them, by pid, link and direction.
type counters struct {
	chains map[string]int
	links  map[string]int
}

// hops is the way of a packet to the world and back.
type hops struct {
	l     *Look
	world world
	count op.NftCount
	list  []hop
	pids  []int
}

// startHops puts counters on the way and reads them once.
func startHops(l *Look, w world) (*hops, error) {
	spec := l.Container.Spec
	us, host, world := bare(spec.Net.Address), w.gateway.String(), w.address.String()
	h := &hops{l: l, world: w, pids: []int{os.Getpid(), l.Container.PID(), w.Container.PID()}}
	h.count = op.NftCount{Table: "cutaway-count-" + spec.ID, Points: []op.NftPoint{
		// Before and after all others that look at a packet: the lab's translation
		// is at -100 and 100.
		{Name: "prerouting", Hook: "prerouting", Priority: -350, From: us, To: world},
		{Name: "forward", Hook: "forward", Priority: -350, From: us, To: world},
		{Name: "postrouting", Hook: "postrouting", Priority: 350, From: host, To: world},
		{Name: "prerouting-back", Hook: "prerouting", Priority: -350, From: world, To: host},
		{Name: "forward-back", Hook: "forward", Priority: 350, From: world, To: us},
	}}
	if err := l.Container.Extend(h.count); err != nil {
		return nil, err
	}
	link := func(pid int, name, way string) func(counters) int {
		return func(c counters) int { return c.links[fmt.Sprint(pid, name, way)] }
	}
	chain := func(name string) func(counters) int { return func(c counters) int { return c.chains[name] } }
	out, in, back := us+" > "+world, world+" > "+host, world+" > "+us
	h.list = []hop{
		{where: "eth0 inside, out", packet: out, read: link(h.pids[1], "eth0", "tx")},
		{where: plan.VethName(spec.ID) + ", in", packet: out, read: link(h.pids[0], plan.VethName(spec.ID), "rx")},
		{where: spec.Net.Bridge + ", in", packet: out, read: link(h.pids[0], spec.Net.Bridge, "rx")},
		{where: "prerouting", packet: out, read: chain("prerouting")},
		{where: "forward", packet: out, read: chain("forward")},
		{where: "postrouting", packet: host + " > " + world, read: chain("postrouting")},
		{where: plan.VethName(w.Container.Spec.ID) + ", out", packet: host + " > " + world, read: link(h.pids[0], plan.VethName(w.Container.Spec.ID), "tx")},
		{where: "eth0 of the world, in", packet: host + " > " + world, read: link(h.pids[2], "eth0", "rx")},
		{where: "prerouting", packet: in, read: chain("prerouting-back")},
		{where: "forward", packet: back, read: chain("forward-back")},
		{where: spec.Net.Bridge + ", out", packet: back, read: link(h.pids[0], spec.Net.Bridge, "tx")},
		{where: "eth0 inside, in", packet: back, read: link(h.pids[1], "eth0", "rx")},
	}
	c, err := h.counters()
	for i := range h.list {
		h.list[i].before = h.list[i].read(c)
	}
	return h, err
}

// counters reads all of them.
func (h *hops) counters() (c counters, err error) {
	c.links = map[string]int{}
	if c.chains, err = inspect.NftCounters(h.count.Table); err != nil {
		return c, err
	}
	for _, pid := range h.pids {
		text, readErr := os.ReadFile(fmt.Sprintf("/proc/%d/net/dev", pid))
		err = errors.Join(err, readErr)
		for line := range strings.Lines(string(text)) {
			// proc_net(5): bytes and packets received are the first two of eight.
			const received, sent = 1, 9
			name, numbers, ok := strings.Cut(line, ":")
			if f := strings.Fields(numbers); ok && len(f) > sent {
				c.links[fmt.Sprint(pid, strings.TrimSpace(name), "rx")], _ = strconv.Atoi(f[received])
				c.links[fmt.Sprint(pid, strings.TrimSpace(name), "tx")], _ = strconv.Atoi(f[sent])
			}
		}
	}
	return c, err
}

// table reads the counters again and lists the hops.
func (h *hops) table() (string, error) {
	c, err := h.counters()
	lines := []string{fmt.Sprintf("%-24s%-28s%s", "where", "packet", "counted")}
	for i := range h.list {
		p := &h.list[i]
		p.after = p.read(c)
		lines = append(lines, fmt.Sprintf("%-24s%-28s%d -> %d", p.where, p.packet, p.before, p.after))
	}
	return strings.Join(lines, "\n"), err
}

// index is that of the first hop of that name.
func (h *hops) index(where string) int {
	return slices.IndexFunc(h.list, func(p hop) bool { return p.where == where })
}

// rise is by how much it has counted on.
func (h *hops) rise(where string) int {
	p := h.list[h.index(where)]
	return p.after - p.before
}

// all checks that three packets, or more of something else, came by everywhere.
func (h *hops) all(string) bool {
	for _, p := range h.list {
		if p.after-p.before < 3 {
			return false
		}
	}
	return true
}

// lookDNS has the container ask a name server in the world.
func lookDNS(l *Look, w world) {
	const name = "web.example"
	// A shell gives its background jobs /dev/null to read, which is not there yet.
	out, err := w.run(fmt.Sprintf("touch /dev/null; probe dns %s %s > /tmp/dns & "+
		"for i in $(seq 100); do netstat -lun | grep -q ':53 ' && exit 0; sleep 0.05; done; exit 1", name, w.address))
	if err == nil && out.Status != 0 {
		err = errors.New(out.Text)
	}
	if err != nil {
		l.failed("start a name server", err)
		return
	}
	l.Inside(fmt.Sprintf("echo nameserver %s > /etc/resolv.conf; nslookup %s | tail -n +3", w.address, name),
		"asked of a name server in the world, by the file that only this container has", func(o Out) bool {
			return o.Has("Name:\t"+name) && o.Has("Address: "+w.address.String())
		})
	host, err := os.ReadFile("/etc/resolv.conf")
	if err == nil {
		l.Outside("grep -c "+w.address.String()+" /etc/resolv.conf", "the host asks whom it asked before", func() (string, error) {
			return fmt.Sprint(strings.Count(string(host), w.address.String())), nil
		}, is("0"))
	}
}
