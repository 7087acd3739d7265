package stages

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"cutaway/sandbox/inspect"
)

// madeOf says what a container is made of, by looking at its process and at our
// own: what the two share is none of the container's. It is empty when they
// cannot be read.
func madeOf(pid int) []string {
	inside, err := inspect.OfProcess(pid)
	if err != nil {
		return nil
	}
	host, err := inspect.OfProcess(os.Getpid())
	if err != nil {
		return nil
	}
	var parts []string
	namespaces := 0
	own := map[inspect.Kind]bool{}
	for _, kind := range []inspect.Kind{inspect.User, inspect.Mnt, inspect.UTS, inspect.PID, inspect.IPC, inspect.Net, inspect.CgroupNS, inspect.Time} {
		for _, ns := range inside.Of(kind) {
			if host.Find(kind, ns.ID) == nil {
				own[kind] = true
				namespaces++
			}
		}
	}
	add := func(n int, one, many string) {
		if n == 1 {
			many = one
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, many))
		}
	}
	add(namespaces, "namespace", "namespaces")
	if own[inspect.Mnt] {
		add(len(inside.Of(inspect.Mount)), "mount", "mounts")
	}
	parts = append(parts, groups(inside)...)
	if own[inspect.Net] {
		add(len(inside.Of(inspect.Link)), "link", "links")
		add(len(inside.Of(inspect.Route)), "route", "routes")
	}
	parts = append(parts, powers(inside)...)
	for _, o := range inside.Of(inspect.Overlay) {
		layers := 0
		for _, f := range o.Detail {
			if strings.HasPrefix(f.Key, "lower") {
				layers++
			}
		}
		add(layers, "image layer", "image layers")
	}
	return parts
}

// groups counts the lab's control groups, by their name: on v1 one name is a
// directory in several hierarchies.
func groups(s *inspect.Snapshot) []string {
	var names, limits []string
	for _, g := range s.Of(inspect.Cgroup) {
		_, name, _ := strings.Cut(g.ID, ":")
		if name == "" {
			name = g.ID // v2 has no controllers in front
		}
		if path.Dir(name) != "cutaway" {
			continue
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		if n, err := strconv.ParseInt(g.Detail.Get("memory.max"), 10, 64); err == nil {
			limits = append(limits, fmt.Sprintf("memory %dM", n>>20))
		}
		if n := g.Detail.Get("pids.max"); n != "" && n != "max" {
			limits = append(limits, "pids "+n)
		}
	}
	if len(names) == 0 {
		return nil
	}
	text := fmt.Sprintf("%d control group", len(names))
	if len(names) > 1 {
		text += "s"
	}
	if len(limits) > 0 {
		text += " (" + strings.Join(limits, ", ") + ")"
	}
	return []string{text}
}

// powers counts what is left of root's, and what guards the system calls.
func powers(s *inspect.Snapshot) []string {
	var parts []string
	for _, c := range s.Of(inspect.Caps) {
		bounding := c.Detail.Get("bounding")
		if n := strings.Count(bounding, "CAP_"); n > 0 && !strings.HasPrefix(bounding, "all") {
			parts = append(parts, fmt.Sprintf("%d capabilities at most", n))
		}
	}
	for _, c := range s.Of(inspect.Seccomp) {
		if c.Detail.Get("mode") == "filter" {
			parts = append(parts, c.Detail.Get("filters")+" seccomp filter")
		}
	}
	return parts
}
