package stages

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"cutaway/sandbox/op"
	"cutaway/sandbox/plan"
	"cutaway/stages/buildup"
)

// bare takes the prefix length off an address: 10.90.0.2/24.
func bare(cidr string) string {
	address, _, _ := strings.Cut(cidr, "/")
	return address
}

// received checks a ping: n packets came back.
func received(n int) func(Out) bool {
	return func(o Out) bool { return o.Status == 0 && o.Has(fmt.Sprintf("%d packets received", n)) }
}

// macInside is the Ethernet address of the container's end of the cable.
func macInside(l *Look) (net.HardwareAddr, error) {
	out, err := l.run("ip -o link show eth0")
	if err != nil {
		return nil, err
	}
	_, after, _ := strings.Cut(out.Text, "link/ether ")
	address, _, _ := strings.Cut(after, " ")
	return net.ParseMAC(address)
}

// linkNames lists the links of the host.
func linkNames() (string, error) {
	entries, err := os.ReadDir("/sys/class/net")
	if err != nil {
		return "", err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return strings.Join(names, "  "), nil
}

// onHost reports whether a link of the host has that Ethernet address.
func onHost(mac net.HardwareAddr) (bool, error) {
	links, err := net.Interfaces()
	return slices.ContainsFunc(links, func(l net.Interface) bool { return bytes.Equal(l.HardwareAddr, mac) }), err
}

// heading fetches a page, by no proxy, and gives its heading.
func heading(address string) func() (string, error) {
	return func() (string, error) {
		client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		r, err := client.Get("http://" + address + "/")
		if err != nil {
			return "", err
		}
		defer r.Body.Close()
		page, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		for line := range strings.Lines(string(page)) {
			if strings.Contains(line, "<h1>") {
				return line, err
			}
		}
		return "", err
	}
}

// listeners counts the host's TCP sockets that listen on a port, from
// /proc/net/tcp and tcp6: proc_net(5), state 0A.
func listeners(port int) (string, error) {
	count := 0
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		b, err := os.ReadFile(file)
		if os.IsNotExist(err) { // a kernel without IPv6
			continue
		}
		if err != nil {
			return "", err
		}
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if len(f) > 3 && f[3] == "0A" && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) {
				count++
			}
		}
	}
	return strconv.Itoa(count), nil
}

// testNets are networks that no real machine should be in: RFC 5737.
var testNets = []string{"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"}

// unusedNet gives one of them that the host is not in; some machines are.
func unusedNet() (netip.Prefix, error) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return netip.Prefix{}, err
	}
	for _, text := range testNets {
		free := netip.MustParsePrefix(text)
		if !slices.ContainsFunc(addresses, func(a net.Addr) bool {
			used, err := netip.ParsePrefix(a.String())
			return err != nil || used.Overlaps(free)
		}) {
			return free, nil
		}
	}
	return netip.Prefix{}, fmt.Errorf("find a network for it: the host is in all of %s", strings.Join(testNets, ", "))
}

// world is a second container that plays the machines beyond the host.
type world struct {
	*Look
	net              netip.Prefix
	address, gateway netip.Addr // its own, and the host's on its wire
}

// startWorld makes it: on a wire of its own, with no route to anywhere else, and
// a web page that tells visitors their address.
func startWorld(ctx context.Context, l *Look) (world, error) {
	free, err := unusedNet()
	if err != nil {
		return world{}, err
	}
	w := world{net: free, gateway: free.Addr().Next()}
	w.address = w.gateway.Next()
	spec := l.Again()
	spec.Hostname, spec.Net = "world", plan.Net{Mode: "none"}
	if w.Look, err = l.Start(ctx, spec); err != nil {
		return w, err
	}
	wire, mask := plan.WireName(w.Container.Spec.ID), "/24"
	for _, o := range []op.Op{
		op.Bridge{Link: wire, Address: w.gateway.String() + mask, Own: true},
		op.Veth{Host: plan.VethName(w.Container.Spec.ID), Container: "eth0", Bridge: wire},
		op.Address{Link: "eth0", CIDR: w.address.String() + mask},
	} {
		if err := w.Container.Extend(o); err != nil {
			return w, errors.Join(err, w.End())
		}
	}
	out, err := w.run(fmt.Sprintf(`mkdir /www/cgi-bin && cd /www/cgi-bin &&
		echo '#!/bin/sh' > who && echo 'echo; echo you are $REMOTE_ADDR' >> who && chmod +x who && httpd -p %d -h /www`, buildup.WebPort))
	if err == nil && out.Status != 0 {
		err = fmt.Errorf("start its web server: %s", out.Text)
	}
	if err != nil {
		return w, errors.Join(err, w.End())
	}
	return w, nil
}
