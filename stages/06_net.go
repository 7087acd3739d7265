package stages

import (
	"context"

	"cutaway/stages/buildup"
)

// network gives the container a network stack of its own and a cable out.
var network = Stage{
	Part:   buildup.Net,
	Title:  "a network stack of its own",
	Belief: "a container's network is a filter in front of the host's",
	Lesson: "Nothing is filtered: a fresh network namespace has its own links, addresses, routes and rules, and at first only a lo that is down. The rest is a cable, a switch and an address translator.",
	Code:   "sandbox/op/veth.go",
	Look:   lookNet,
}

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
