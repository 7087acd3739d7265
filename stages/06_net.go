package stages

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"cutaway/sandbox/features"
	"cutaway/sandbox/op"
	"cutaway/sandbox/plan"
)

// network gives the container a network stack of its own and a cable out.
var network = Stage{
	Slug:   "06-net",
	Title:  "a network stack of its own",
	Belief: "a container's network is a filter in front of the host's",
	Lesson: "Nothing is filtered: a fresh network namespace has its own links, addresses, routes and rules, and at first only a lo that is down. The rest is a cable, a switch and an address translator.",
	Code:   "sandbox/op/veth.go",
	Needs: func(f features.Features) error {
		if err := f.HaveNamespace("net"); err != nil || f.Root() {
			return err
		}
		return &features.Error{Feature: "a bridge on the host", Cause: "it needs root; rootless, use cutaway run --net none"}
	},
	Add: func(s *plan.Spec, _ Materials) {
		s.Add("network")
		s.Net.Mode = "bridge"
		s.Net.Ports = []op.Port{{ContainerPort: webPort, Protocol: "tcp"}}
	},
	Look: lookNet,
}

// webPort is where the container's web server listens.
const webPort = 8080

func lookNet(ctx context.Context, l *Look) {
	lookLinks(l)
	lookCable(l)
	lookPort(l)
	l.Note("a second container on the same bridge, made by the same steps")
	if neighbour, err := l.Start(ctx, l.Again()); l.started(err) {
		address := bare(neighbour.Container.Spec.Net.Address)
		l.Inside("ping -c 1 -W 2 -q "+address, "the bridge carries it to the neighbour", received(1))
		l.ended(neighbour)
	}
	lookNAT(ctx, l)
}

// lookLinks compares what links there are on both sides.
func lookLinks(l *Look) {
	l.Inside("ip -o link | cut -d: -f2", "two links and no more", func(o Out) bool {
		names := strings.Fields(o.Text)
		return len(names) == 2 && names[0] == "lo" && strings.HasPrefix(names[1], "eth0@")
	})
	mac, macErr := macInside(l)
	l.Outside("ls /sys/class/net", "the other end of the cable; none is the container's eth0",
		linkNames, func(text string) bool {
			here, err := onHost(mac)
			return macErr == nil && err == nil && !here &&
				slices.Contains(strings.Fields(text), plan.VethName(l.Container.Spec.ID))
		})
}

// lookCable counts packets on the host's end while a ping goes through.
func lookCable(l *Look) {
	const pings = 3
	file := "/sys/class/net/" + plan.VethName(l.Container.Spec.ID) + "/statistics/rx_packets"
	gateway := bare(l.Container.Spec.Net.Gateway)
	var before int
	l.Outside("cat "+file, "a first count of what came up the cable", readFile(file),
		func(text string) bool { return number(text, &before) })
	l.Inside(fmt.Sprintf("ping -c %d -i 0.1 -W 2 -q %s", pings, gateway), "each one crosses the veth pair and comes back", received(pings))
	l.Outside("cat "+file, fmt.Sprintf("at least %d more: they did come this way", pings), readFile(file),
		func(text string) bool {
			var after int
			return number(text, &after) && after >= before+pings
		})
}

// lookPort has the container serve a page, and fetches it from the host.
func lookPort(l *Look) {
	net := l.Container.Spec.Net
	l.Inside(fmt.Sprintf("httpd -p %d -h /www; netstat -ltn | grep -c :%d", webPort, webPort), "a web server listens inside",
		func(o Out) bool { return o.Text == "1" })
	for _, place := range []struct{ address, expect string }{
		{fmt.Sprintf("%s:%d", bare(net.Address), webPort), "the container's own address answers"},
		{fmt.Sprintf("127.0.0.1:%d", net.Ports[0].HostPort), "the published port leads to the same page"},
	} {
		l.Outside("curl -s http://"+place.address+"/ | grep h1", place.expect, heading(place.address),
			func(text string) bool { return strings.Contains(text, "Hello from inside a container") })
	}
	l.Outside(fmt.Sprintf("ss -ltn | grep -c :%d", net.Ports[0].HostPort), "yet no socket of the host listens: the port is a rule",
		func() (string, error) { return listeners(net.Ports[0].HostPort) },
		func(text string) bool { return text == "0" })
}

// lookNAT sends a packet to a machine that has no route back, and has it say
// whom it sees.
func lookNAT(ctx context.Context, l *Look) {
	l.Note("an outside world: a container on a wire of its own, which has never heard of %s", bare(l.Container.Spec.Net.Address))
	w, err := startWorld(ctx, l)
	if !l.started(err) {
		return
	}
	defer l.ended(w.Look)
	w.Inside("ip route", "no way to the first container's network",
		func(o Out) bool { return o.Has(w.net.String()) && !o.Has("default") && !o.Has("10.90.") })
	l.Inside(fmt.Sprintf(`printf 'GET /cgi-bin/who HTTP/1.0\r\n\r\n' | nc -w 2 %s %d | tail -n 1`, w.address, webPort),
		"the world answers, and takes us for the host: masquerade",
		func(o Out) bool { return strings.Contains(o.Text, "you are ") && o.Has(w.gateway.String()) })
}
