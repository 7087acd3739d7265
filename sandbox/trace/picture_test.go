package trace

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// drawn gives the pictures of a recorded stage, a frame each.
func drawn(t *testing.T, stage string) []*frame {
	t.Helper()
	page := NewHTML(nil, Conditions{})
	for _, e := range of(recorded(t), stage) {
		page.Emit(e)
	}
	require.Len(t, page.chapters, 1)
	return page.chapters[0].Frames
}

// paths lists the boxes of a picture by what they are in.
func paths(b box, in string) []string {
	here := in + b.Name
	out := []string{here}
	for _, inner := range b.Boxes {
		out = append(out, paths(inner, here+" > ")...)
	}
	return out
}

// inBox tells whether a picture has a line in a box of that name.
func inBox(b box, name, value, mark string) bool {
	if b.Name == name && slices.ContainsFunc(b.Lines, func(l line) bool { return l.Value == value && l.Mark == mark }) {
		return true
	}
	return slices.ContainsFunc(b.Boxes, func(inner box) bool { return inBox(inner, name, value, mark) })
}

// step finds the frame of a step by what it does.
func step(t *testing.T, frames []*frame, op string) *frame {
	t.Helper()
	for _, f := range frames {
		if f.Kind == "step" && f.Name == op {
			return f
		}
	}
	t.Fatalf("no step %s", op)
	return nil
}

// The complete container lies in its control groups and its user namespace, and
// its root in layers.
func TestPictureOfAContainer(t *testing.T) {
	frames := drawn(t, "15-container")
	last := frames[len(frames)-1]
	const inside = "the host > what people call the container; the kernel has no such object > control group > control group > user namespace"
	got := paths(last.Picture.Host, "")
	for _, name := range []string{"process", "mount namespace", "mount namespace > overlay at", "mount namespace > devices", "UTS namespace",
		"PID namespace", "IPC namespace", "network namespace", "cgroup namespace"} {
		require.Contains(t, got, inside+" > "+name)
	}
	require.Contains(t, got, "the host > the host's network")
	require.True(t, inBox(last.Picture.Host, "network namespace", "eth0", ""))
	require.True(t, inBox(last.Picture.Host, "the host's network", "cutaway0", ""))
	require.Contains(t, last.Picture.Caption, "namespaces of its own: user, mount, UTS, PID, IPC, network, cgroup")
}

// The picture grows with the steps: what one makes is marked as new after it, and
// as nothing special after the next.
func TestPictureGrows(t *testing.T) {
	frames := drawn(t, "06-net")
	has := func(f *frame, name string) bool {
		return slices.ContainsFunc(paths(f.Picture.Host, ""), func(p string) bool { return strings.HasSuffix(p, "> "+name) })
	}
	bridge, unshared, veth, address := step(t, frames, "bridge"), step(t, frames, "unshare"), step(t, frames, "veth"), step(t, frames, "address")
	require.True(t, inBox(bridge.Picture.Host, "the host's network", "cutaway0", "+"))
	require.False(t, has(bridge, "network namespace"))
	require.True(t, has(unshared, "network namespace"))
	require.True(t, inBox(unshared.Picture.Host, "the host's network", "cutaway0", ""))
	require.True(t, inBox(unshared.Picture.Host, "network namespace", "lo", "+"))
	require.False(t, inBox(unshared.Picture.Host, "network namespace", "eth0", "+"))
	require.True(t, inBox(veth.Picture.Host, "network namespace", "eth0", "+"))
	require.True(t, inBox(address.Picture.Host, "network namespace", "eth0", "~"), "it is up now")
}

// What a step took away is in its picture, marked, and in none after it.
func TestPictureForgets(t *testing.T) {
	var w world
	w.apply(Event{Created: mountScene()[1].Created[:4]})
	w.settle()
	w.apply(Event{Removed: mountScene()[1].Created[2:3]})
	require.True(t, inBox(w.picture().Host, "mount namespace", "/proc", "-"))
	require.Contains(t, w.picture().Caption, "2 mounts")
	w.settle()
	require.False(t, inBox(w.picture().Host, "mount namespace", "/proc", "-"))
	require.True(t, inBox(w.picture().Host, "mount namespace", "/sys", ""))
}

// An object whose number is given out again is another one.
func TestWorldTellsObjectsApart(t *testing.T) {
	var w world
	first, second := utsScene()[2].Created[0], utsScene()[2].Created[0]
	second.Detail = detail("nodename", "another")
	w.apply(Event{Created: utsScene()[2].Created})
	w.settle()
	w.apply(Event{Removed: utsScene()[2].Created, Created: append(utsScene()[2].Created[:0:0], second)})
	require.Len(t, w.things, 2)
	require.Equal(t, "another", w.find(first.Kind, first.ID).Detail.Get("nodename"))
	w.settle()
	require.Len(t, w.things, 1)
}

// Colours are told apart from what they are on by at least 4.5 to 1: WCAG 2.2,
// "Contrast (Minimum)".
func TestContrast(t *testing.T) {
	schemes := palettes(pageCSS)
	require.Len(t, schemes, 3, "light, dark, paper")
	for name, colors := range schemes {
		for _, pair := range [][2]string{{"ink", "paper"}, {"ink", "raised"}, {"ink", "sunk"}, {"soft", "paper"}, {"soft", "raised"}, {"soft", "sunk"},
			{"new", "raised"}, {"new", "paper"}, {"new", "new-back"}, {"soft", "new-back"}, {"ink", "new-back"}, {"changed", "changed-back"},
			{"soft", "changed-back"}, {"changed", "raised"}, {"gone", "gone-back"}, {"gone", "paper"}, {"gone", "raised"}, {"soft", "gone-back"}, {"link", "paper"}} {
			front, back := colors[pair[0]], colors[pair[1]]
			require.GreaterOrEqual(t, contrast(t, front, back), 4.5, "%s: %s on %s", name, pair[0], pair[1])
		}
	}
}
