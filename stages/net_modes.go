package stages

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"cutaway/sandbox/op"
	"cutaway/sandbox/plan"
	"cutaway/stages/buildup"
)

// lookModes makes a container for each other way of being connected.
func lookModes(ctx context.Context, l *Look) {
	l.with(ctx, "the other ways of being connected. --net none: a namespace, and nobody plugs anything in", func(other *Look) {
		other.Inside("ip -o link | cut -d: -f2", "lo, and no way out", func(o Out) bool { return strings.TrimSpace(o.Text) == "lo" })
	}, netMode("none"))
	ours, _ := os.Readlink("/proc/self/ns/net") // unread, it equals nothing the kernel says
	l.with(ctx, "--net host: no namespace of its own", func(other *Look) {
		other.Inside("readlink /proc/self/ns/net", "the host's: its links, its ports, its firewall", func(o Out) bool { return ours != "" && o.Text == ours })
	}, netMode("host"))
	l.with(ctx, "--net container:ID: born in the network namespace of the first container", func(other *Look) {
		other.Inside("ip -o -4 address show eth0 | cut -d' ' -f7", "the first one's address", says(l.Container.Spec.Net.Address))
		other.Inside(get("127.0.0.1", buildup.WebPort, "/")+" | grep h1", "they share one loopback: there is the first one's web server",
			func(o Out) bool { return o.Has("Hello from inside a container") })
	}, netMode("container"), func(s *plan.Spec) { s.Join("network", fmt.Sprintf("/proc/%d/ns/net", l.Container.PID())) })
	lookVlan(ctx, l)
}

// netMode connects a container so.
func netMode(mode string) func(*plan.Spec) {
	return func(s *plan.Spec) {
		s.Net = plan.Net{Mode: mode}
		if mode != "none" {
			s.Drop("network")
		}
	}
}

// lookVlan connects a container to the outside world's own wire, without the
// host's help: by macvlan or, where the kernel lacks that, ipvlan.
func lookVlan(ctx context.Context, l *Look) {
	l.Note("macvlan: a link that hangs on one of the host's, with an Ethernet address of its own. No bridge, no address translation: on that wire the container is one more machine")
	w, err := startWorld(ctx, l)
	if !l.started(err) {
		return
	}
	defer l.ended(w.Look)
	spec := l.Again()
	netMode("none")(&spec)
	vlan, err := l.Start(ctx, spec)
	if !l.started(err) {
		return
	}
	defer l.ended(vlan)
	own := w.address.Next().String()
	kind, err := hang(vlan, w, own)
	if err != nil {
		l.Note("not shown: this kernel has neither macvlan nor ipvlan: %v", err)
		return
	}
	vlan.Inside("ip -o link show eth0 | cut -d: -f2", "it hangs on a link of the host's namespace: "+kind, func(o Out) bool { return o.Has("eth0@if") })
	vlan.Inside(get(w.address.String(), buildup.WebPort, "/cgi-bin/who")+" | tail -n 1", "the world sees the container's own address",
		func(o Out) bool { return strings.Contains(o.Text, "you are ") && o.Has(own) })
	l.Note("the price: what hangs on a link cannot speak to that link itself, so the host does not answer, on purpose")
	vlan.Inside("ping -c 1 -W 1 -q "+w.gateway.String(), "the host's own address on the same wire is out of reach",
		func(o Out) bool { return o.Has("100% packet loss") })
}

// hang gives a container a link on the world's wire, of the first kind that the
// kernel has, and an address there.
func hang(vlan *Look, w world, address string) (kind string, err error) {
	for _, kind := range []string{"macvlan", "ipvlan"} {
		link := op.Vlan{Kind: kind, Parent: plan.WireName(w.Container.Spec.ID), Container: "eth0"}
		linkErr := vlan.Container.Extend(link)
		if linkErr == nil {
			return kind, vlan.Container.Extend(op.Address{Link: "eth0", CIDR: address + "/24"})
		}
		err = errors.Join(err, linkErr)
	}
	return "", err
}
