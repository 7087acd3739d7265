package stages

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cutaway/sandbox/inspect"
	"cutaway/sandbox/trace"
	"cutaway/stages/buildup"
	"cutaway/vm"
)

// compareWithRunc makes the container of l once more, by runc, and tells the two
// side by side.
func compareWithRunc(ctx context.Context, l *Look) {
	path, err := findRunc()
	switch {
	case err != nil:
		how, err := vm.InstallCommand(ctx, "compare")
		if err != nil {
			how = "it is in your distribution's package runc"
		}
		l.Note("runc, which makes docker's containers, is not installed here, so there is nothing to compare with: %s", how)
		return
	case !l.Lab.Features.Root():
		l.Note("runc is installed, but the comparison needs root")
		return
	}
	l.Note("now the same container made by %s, out of a config.json written from the same Spec", path)
	other, err := startRunc(ctx, l, path)
	if err == nil {
		err = l.sideBySide(other.pid)
	}
	if err = errors.Join(err, other.close()); err != nil {
		l.report("outside", "runc run", Out{Text: err.Error(), Status: 1}, "the same container", false)
	}
}

// sideBySide tells this container and another process object by object, and why
// they differ where they do.
func (l *Look) sideBySide(pid int) error {
	ours, err := inspect.OfProcess(l.Container.PID())
	if err != nil {
		return err
	}
	theirs, err := inspect.OfProcess(pid)
	if err != nil {
		return err
	}
	rows := inspect.Pair(ours, theirs)
	l.emit(trace.Event{Event: trace.NoteEvent, Stage: l.stage, Rows: rows, Sides: []string{"cutaway", "runc"},
		Text: fmt.Sprintf("process %d is the lab's, process %d is runc's; object by object, as the kernel has them", l.Container.PID(), pid)})
	l.explain(rows)
	diff := fmt.Sprintf("cutaway diff %d %d | grep ", l.Container.PID(), pid)
	l.Outside(diff+"-E '!= (process.*[ug]id|caps|seccomp|idmap)'", "the same ids and the same rights",
		func() (string, error) { return unlike(rows), nil }, is("(nothing)"))
	l.Outside(diff+"-c '!=.*namespace'", "in namespaces of their own",
		func() (string, error) { return strconv.Itoa(ownNamespaces(rows)), nil },
		func(text string) bool { return text == "7" || text == "8" })
	return nil
}

// unlike lists in which ids and rights two containers made from one Spec differ;
// in nothing, whatever runtime made them.
func unlike(rows []inspect.Row) string {
	var wrong []string
	for _, r := range rows {
		switch {
		case r.Same || r.Kind == inspect.Process && r.Name != "uid" && r.Name != "gid":
		case slices.Contains([]inspect.Kind{inspect.Process, inspect.Caps, inspect.Seccomp, inspect.IDMap}, r.Kind):
			wrong = append(wrong, fmt.Sprintf("%s %s: %s, but %s", r.Kind, r.Name, r.A, r.B))
		}
	}
	if len(wrong) == 0 {
		return "(nothing)"
	}
	return strings.Join(wrong, "\n")
}

// ownNamespaces counts the kinds of namespace in which two processes are apart.
func ownNamespaces(rows []inspect.Row) (n int) {
	for _, r := range rows {
		if r.Name == "namespace" && !r.Same {
			n++
		}
	}
	return n
}

// reason says why some rows of the comparison differ.
type reason struct {
	of  func(inspect.Row) bool
	why string
}

var reasons = []reason{
	{func(r inspect.Row) bool { return r.Kind == inspect.Time },
		"time: runc knows time namespaces since 1.2, and this config.json asks for none"},
	{func(r inspect.Row) bool { return r.Name == "namespace" },
		"namespaces: each container has its own, of the same kinds; only the numbers differ"},
	{func(r inspect.Row) bool {
		return r.Kind == inspect.Cgroup || r.Kind == inspect.Process && r.Name == "cgroup"
	}, "cgroup: another name; and on cgroup v1 runc makes a group in every hierarchy, the lab where it limits something. A list of devices is no more needed where the user namespace lets nobody make a node"},
	{func(r inspect.Row) bool {
		return r.Kind == inspect.Overlay || r.Kind == inspect.Mount && r.Name == "/"
	}, "mount /: runc is given a directory that is ready. Under docker it is containerd that mounts the overlay there"},
	{func(r inspect.Row) bool {
		return r.Kind == inspect.Mount && slices.Contains(buildup.MaskedPaths, r.Name)
	}, "masks: the same empty directory, on a tmpfs without a limit on its size"},
	{func(r inspect.Row) bool { return r.Kind == inspect.Mount && r.Name == "/sys/fs/cgroup" },
		"mount /sys/fs/cgroup: one hierarchy, of which each sees its own group and what is below; the source of such a mount is a mere word"},
	{func(r inspect.Row) bool { return r.Kind == inspect.Device && r.Name == "/dev/core" },
		"/dev/core: a link that runc makes where the kernel has /proc/kcore. What it leads to is masked in both"},
	{func(r inspect.Row) bool {
		return slices.Contains([]inspect.Kind{inspect.Link, inspect.Addr, inspect.Route}, r.Kind)
	},
		"network: runc makes the namespace and leaves it empty. Under docker it is docker itself that plugs in the cable"},
}

// explain says why the two differ, and names what it has no reason for.
func (l *Look) explain(rows []inspect.Row) {
	told := map[string]bool{}
	var unknown []string
	for _, r := range rows {
		i := slices.IndexFunc(reasons, func(one reason) bool { return one.of(r) })
		switch {
		case r.Same:
		case i < 0:
			unknown = append(unknown, string(r.Kind)+" "+r.Name)
		case !told[reasons[i].why]:
			told[reasons[i].why] = true
			l.Note("%s", reasons[i].why)
		}
	}
	if len(unknown) > 0 {
		l.Note("for the rest this version of the lab knows no reason: %s", strings.Join(unknown, ", "))
	}
}
