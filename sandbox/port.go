package sandbox

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"syscall"

	"cutaway/sandbox/op"
	"cutaway/sandbox/sys"
)

// freePorts replaces host port 0 by the container's own number or, if somebody
// has that, by the next that is free; a port that was asked for must be free. A
// published port is a rule of nf_tables and no socket, so two are asked: the
// containers that live, and the kernel. Without that question the rule would
// take what another program listens for, the machine's sshd for one.
func freePorts(ports []op.Port, live []Record) ([]op.Port, error) {
	ports = slices.Clone(ports)
	for i := range ports {
		p := &ports[i]
		others := append(slices.Clone(ports[:i]), ports[i+1:]...)
		if p.HostPort != 0 {
			if err := free(*p, ports[:i], live); err != nil {
				return nil, fmt.Errorf("publish port %d/%s: %w", p.HostPort, p.Protocol, err)
			}
			continue
		}
		for p.HostPort = p.ContainerPort; free(*p, others, live) != nil; p.HostPort++ {
			if p.HostPort >= 65535 {
				return nil, fmt.Errorf("publish port %d/%s: no port of the host is free from there up", p.ContainerPort, p.Protocol)
			}
		}
	}
	return ports, nil
}

// free says who has the host's port of p, if anybody.
func free(p op.Port, others []op.Port, live []Record) error {
	same := func(o op.Port) bool {
		return o.HostPort == p.HostPort && o.Protocol == p.Protocol && (o.HostIP == p.HostIP || o.HostIP == "" || p.HostIP == "")
	}
	if slices.ContainsFunc(others, same) {
		return errors.New("it is asked for twice")
	}
	for _, r := range live {
		if slices.ContainsFunc(r.Net.Ports, same) {
			return fmt.Errorf("container %s has it", r.ID)
		}
	}
	return bindable(p)
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

// bindable takes the host's port for a moment, which fails if a socket has it:
// bind(2), EADDRINUSE; EADDRNOTAVAIL says that the host has no such address.
func bindable(p op.Port) error {
	address := net.JoinHostPort(p.HostIP, strconv.Itoa(p.HostPort))
	var taken io.Closer
	var err error
	if p.Protocol == "udp" {
		taken, err = net.ListenPacket("udp", address)
	} else {
		taken, err = net.Listen("tcp", address)
	}
	if err == nil {
		return taken.Close()
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return fmt.Errorf("%s: %w", sys.ErrnoName(errno), errno)
	}
	return err
}
