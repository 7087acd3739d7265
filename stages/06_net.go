package stages

import (
	"context"

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
	lookHosts(l)
	lookPort(l)
	lookBridge(ctx, l)
	lookWorld(ctx, l)
	lookModes(ctx, l)
	lookOwnNetwork(ctx, l)
}
