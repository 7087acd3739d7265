package stages

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// lookDev compares /dev with the list of what should be in it.
func lookDev(l *Look) {
	want := []string{"fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero"}
	if l.Container.Spec.Linux.Mqueue {
		want = append(want, "mqueue")
	}
	slices.Sort(want)
	l.Inside("ls -x /dev", "these names and no other", func(o Out) bool {
		return slices.Equal(slices.Sorted(slices.Values(strings.Fields(o.Text))), want)
	})
	l.Outside("ls /dev | wc -l", "the host has disks, terminals, memory ...", func() (string, error) {
		entries, err := os.ReadDir("/dev")
		return fmt.Sprint(len(entries)), err
	}, func(text string) bool {
		var n int
		return number(text, &n) && n > len(want)
	})
	lookNodes(l)
}

// nodes are the devices of every container with their numbers: devices.txt in
// the kernel's documentation.
var nodes = []struct{ name, number string }{
	{"null", "1:3"}, {"zero", "1:5"}, {"full", "1:7"}, {"random", "1:8"}, {"urandom", "1:9"}, {"tty", "5:0"},
}

// lookNodes compares the numbers of the nodes, and tries to make one.
func lookNodes(l *Look) {
	command, want := "cd /dev; stat -c '%n %t:%T'", ""
	for _, n := range nodes {
		command += " " + n.name
		want += n.name + " " + n.number + "\n"
	}
	l.Inside(command, "each number leads to the driver its name promises", func(o Out) bool { return o.Text+"\n" == want })
	if l.Container.Spec.Has("user") {
		l.Note("a node is a door to a driver, so making one fails with EPERM, on purpose: in a user namespace no capability is enough")
		l.Inside("probe call mknod", "the six above had to be bound from the host", func(o Out) bool { return o.Status == 1 && o.Has("EPERM") })
	}
}
