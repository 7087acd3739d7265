package stages

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"cutaway/sandbox/inspect"
	"cutaway/sandbox/plan"
	"cutaway/stages/buildup"
)

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
	l.Inside(fmt.Sprintf("httpd -p %d -h /www; netstat -ltn | grep -c :%d", buildup.WebPort, buildup.WebPort), "a web server listens inside",
		func(o Out) bool { return o.Text == "1" })
	for _, place := range []struct{ address, expect string }{
		{fmt.Sprintf("%s:%d", bare(net.Address), buildup.WebPort), "the container's own address answers"},
		{fmt.Sprintf("127.0.0.1:%d", net.Ports[0].HostPort), "the published port leads to the same page"},
	} {
		l.Outside("curl -s http://"+place.address+"/ | grep h1", place.expect, heading(place.address),
			func(text string) bool { return strings.Contains(text, "Hello from inside a container") })
	}
	l.Outside(fmt.Sprintf("ss -ltn | grep -c :%d", net.Ports[0].HostPort), "yet no socket of the host listens: the port is a rule",
		func() (string, error) { return listeners(net.Ports[0].HostPort) },
		func(text string) bool { return text == "0" })
}

// lookHosts shows how the container knows names: two files of its own, bound
// over the image's.
func lookHosts(l *Look) {
	n := l.Container.Spec.Net
	l.Inside("cat /etc/hosts", "its own name and address, in a file of its own",
		func(o Out) bool { return o.Text+"\n" == n.Hosts && o.Has(bare(n.Address)) })
	l.Inside("cat /etc/resolv.conf", "the host's name servers, but for those on its loopback, which here is another",
		func(o Out) bool { return o.Text == strings.TrimRight(n.Resolv, "\n") })
}

// lookBridge has a second container on the same bridge.
func lookBridge(ctx context.Context, l *Look) {
	l.Note("a second container on the same bridge, made by the same steps")
	neighbour, err := l.Start(ctx, l.Again())
	if !l.started(err) {
		return
	}
	defer l.ended(neighbour)
	address := bare(neighbour.Container.Spec.Net.Address)
	if why := l.barred(address); why != "" {
		l.Note("the host sends what its bridges carry through its filters as well (br_netfilter), and there it is dropped by %s. The next ping is not answered, on purpose", why)
		l.Inside("ping -c 1 -W 1 -q "+address, "dropped on its way", func(o Out) bool { return o.Has("100% packet loss") })
		return
	}
	l.Inside("ping -c 1 -W 2 -q "+address, "the bridge carries it to the neighbour", received(1))
	l.Inside("ip neigh show "+address, "at the neighbour's own Ethernet address: no router was asked", func(o Out) bool {
		mac, err := macInside(neighbour)
		return err == nil && o.Has(mac.String())
	})
}

// barred is why nothing comes back from that address: the chains of the host
// that drop what they do not know. It is "" when something does come back, or
// when no such chain is to blame.
func (l *Look) barred(address string) string {
	out, err := l.run("ping -c 1 -W 1 -q " + address)
	if err != nil || received(1)(out) {
		return ""
	}
	drops, err := inspect.ForwardDrops()
	if err != nil {
		return err.Error()
	}
	// The policy of the older iptables' table cannot be read by nf_tables.
	if names, err := os.ReadFile("/proc/net/ip_tables_names"); err == nil && slices.Contains(strings.Fields(string(names)), "filter") {
		drops = append(drops, "the filter table of the older iptables (iptables-legacy -S FORWARD)")
	}
	return strings.Join(drops, " and ")
}
