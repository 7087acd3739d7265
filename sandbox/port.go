package sandbox

import (
	"fmt"
	"net"
	"slices"
	"strconv"

	"cutaway/sandbox/op"
)

// freePorts replaces host port 0 by the container's own number or, if somebody
// has that, by the next that is free. A published port is a rule of nf_tables
// and no socket, so two are asked: the containers that live, and the kernel.
func freePorts(ports []op.Port, live []Record) ([]op.Port, error) {
	ports = slices.Clone(ports)
	taken := func(port int) bool {
		has := func(p op.Port) bool { return p.HostPort == port }
		return slices.ContainsFunc(ports, has) ||
			slices.ContainsFunc(live, func(r Record) bool { return slices.ContainsFunc(r.Spec.Net.Ports, has) })
	}
	for i := range ports {
		p := &ports[i]
		for n := p.ContainerPort; p.HostPort == 0; n++ {
			if n > 65535 {
				return nil, fmt.Errorf("publish port %d/%s: no port of the host is free from there up", p.ContainerPort, p.Protocol)
			}
			if !taken(n) && bindable(p.Protocol, n) {
				p.HostPort = n
			}
		}
	}
	return ports, nil
}

// samePorts is freePorts on a machine where every port is free.
func samePorts(ports []op.Port) []op.Port {
	ports = slices.Clone(ports)
	for i := range ports {
		if ports[i].HostPort == 0 {
			ports[i].HostPort = ports[i].ContainerPort
		}
	}
	return ports
}

// bindable reports whether no socket of the host has the port, by taking it for
// a moment: bind(2), EADDRINUSE.
func bindable(protocol string, port int) bool {
	address := ":" + strconv.Itoa(port)
	if protocol == "udp" {
		c, err := net.ListenPacket("udp", address)
		if err != nil {
			return false
		}
		return c.Close() == nil
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return false
	}
	return l.Close() == nil
}
