package overhead

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
)

// network measures the ways a byte can go between a program inside and one on the
// host: a program of each asks, or answers, over one TCP connection.
var network = experiment{
	group: "net",
	measures: []Measure{
		{Key: "net.trip", Title: "network round trip of one byte", Unit: "us", Base: loopback,
			Means: "A byte to the other program and one back over TCP, as a mean of a hundred: what each request pays for the way there.",
			Not:   "Both ends are on this machine, so there is no cable and no switch in it. Two programs that wake each other also measure the scheduler."},
		{Key: "net.throughput", Title: "network throughput", Unit: "MiB/s", More: true, Base: loopback,
			Means: "16 MiB in one direction, until the other end says that it has them.",
			Not:   "Without a cable the processor is the limit, and who is slower at copying. Many connections at once, small packets and the load on the processor are not measured."},
	},
	subjects: func(ctx context.Context, b *bench, all []Contender) (subjects []subject, missing []Absent) {
		host, found := named(all, baseline)
		if !found {
			return nil, []Absent{{loopback, "no process can be started here"}}
		}
		add := func(name string, kind Kind, trial func(context.Context) (string, error)) {
			subjects = append(subjects, subject{name: name, kind: kind, trial: func(ctx context.Context) (map[string]float64, error) {
				text, err := trial(ctx)
				if err != nil {
					return nil, err
				}
				return numbers(text, map[string]func(float64) float64{"net.trip": toMicros, "net.throughput": toMiB})
			}})
		}
		add(loopback, Process, func(ctx context.Context) (string, error) { return asked(ctx, host, anew(host.start), "127.0.0.1") })
		if c, bridged := named(all, "cutaway+net"); bridged {
			add("veth, bridge", Container, func(ctx context.Context) (string, error) { return asked(ctx, host, anew(c.start), "gateway") })
			add("veth, br., NAT", Container, func(ctx context.Context) (string, error) { return b.askedThroughNAT(ctx, host) })
		} else {
			missing = append(missing, Absent{"veth, bridge, NAT", "there is no container with a bridge"})
		}
		for _, c := range all {
			if c.Kind != Machine || c.Name != "microVM" {
				continue
			}
			open := func(ctx context.Context) (*room, error) { return b.room(ctx, c) }
			if _, err := open(ctx); err != nil {
				missing = append(missing, Absent{"virtio", oneLine(err)})
				continue
			}
			add("virtio, "+b.guestLinkName(), Machine, func(ctx context.Context) (string, error) { return asked(ctx, host, open, "gateway") })
		}
		return subjects, missing
	},
}

// loopback is what the other ways are compared with.
const loopback = "loopback"

func named(all []Contender, name string) (Contender, bool) {
	for _, c := range all {
		if c.Name == name {
			return c, true
		}
	}
	return Contender{}, false
}

// asked has a program inside ask one on the host.
func asked(ctx context.Context, host Contender, inside func(context.Context) (*room, error), address string) (string, error) {
	server, port, err := listening(ctx, host.start)
	if err != nil {
		return "", err
	}
	r, err := inside(ctx)
	var text string
	if err == nil {
		text, err = r.run(ctx, probe, "ask", address+":"+port)
	}
	if err != nil {
		server.kill() // nobody will come
		_ = server.end()
		return "", err
	}
	return text, server.end()
}

// askedThroughNAT has a program on the host ask one in a container, by a port of
// the host's that leads inside.
func (b *bench) askedThroughNAT(ctx context.Context, host Contender) (string, error) {
	port, err := freePort()
	if err != nil {
		return "", err
	}
	const inside = "7000"
	published := b.command(Container, "", true, b.cutawayLine(b.lab.Dirs.Data, "bridge", "-p", port+":"+inside))
	server, _, err := listening(ctx, func(ctx context.Context, args ...string) (*instance, error) {
		return published.start(ctx, probe, "listen", inside)
	})
	if err != nil {
		return "", err
	}
	address, err := outwardAddress()
	var text string
	if err == nil {
		var client *instance
		if client, err = host.start(ctx, probe, "ask", address+":"+port); err == nil {
			text, err = client.output()
		}
	}
	if err != nil {
		server.kill()
		_ = server.end()
		return "", err
	}
	return text, server.end()
}

// listening starts the end that waits, and gives the port it has got.
func listening(ctx context.Context, start func(context.Context, ...string) (*instance, error)) (*instance, string, error) {
	server, err := start(ctx, probe, "listen", "0")
	if err != nil {
		return nil, "", err
	}
	line, err := server.out.ReadString('\n')
	if err != nil {
		return nil, "", errors.Join(server.failed(err), server.end())
	}
	return server, strings.TrimSpace(strings.TrimPrefix(line, "port ")), nil
}

// freePort is one of the host's that nobody has right now.
func freePort() (string, error) {
	l, err := net.Listen("tcp4", ":0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}

// outwardAddress is one of the host's that is not loopback: NAT is about those.
func outwardAddress() (string, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return "", err
	}
	for _, a := range all {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.To4() != nil && !ip.IP.IsLoopback() {
			return ip.IP.String(), nil
		}
	}
	return "", errors.New("this machine has no address but loopback")
}
