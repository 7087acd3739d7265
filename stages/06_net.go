package stages

import (
	"context"

	"cutaway/sandbox/features"
	"cutaway/sandbox/plan"
)

// network gives the container a network stack of its own and a cable out.
var network = Stage{
	Slug:   "06-net",
	Title:  "a network stack of its own",
	Belief: "a container's network is a filter in front of the host's",
	Lesson: "A fresh network namespace has nothing but a lo that is down; everything else is an ordinary link, address, route or rule.",
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
	},
	Look: lookNet,
}

func lookNet(_ context.Context, l *Look) {
	l.Inside("ping -c 1 -W 2 10.90.0.1", "the packet crosses the veth pair and comes back", func(o Out) bool { return o.Status == 0 })
}
