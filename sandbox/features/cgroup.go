package features

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Modes of Cgroups: how control groups are mounted, cgroups(7).
const (
	Unified = "v2"     // one hierarchy with every controller
	Hybrid  = "hybrid" // v1 hierarchies hold controllers, beside an empty v2 one
	Legacy  = "v1"     // v1 hierarchies only
	None    = "none"   // nothing is mounted
)

// Cgroups says where each controller lives.
type Cgroups struct {
	Mode string `json:"mode"`
	// Root is the mount point of the v2 hierarchy, "" if there is none.
	Root string `json:"root,omitempty"`
	// V1 maps a controller to the mount point of its v1 hierarchy.
	V1 map[string]string `json:"v1,omitempty"`
	// Mounts are the mount points of all hierarchies, in use by the lab or not.
	Mounts []string `json:"mounts,omitempty"`
	// Controllers of the v2 hierarchy: cgroup.controllers of its root.
	V2 []string `json:"v2,omitempty"`
	// Enabled are those that the root passes on: its cgroup.subtree_control.
	Enabled []string `json:"enabled,omitempty"`
}

// Controllers the lab sets limits with, under their v2 names.
var Controllers = []string{"memory", "cpu", "pids", "io", "freezer"}

// v1Name gives the v1 controller that does the work of a v2 one.
func v1Name(controller string) string {
	if controller == "io" {
		return "blkio"
	}
	return controller
}

// Dir gives the mount point of the hierarchy that holds the controller, by its
// v2 name; ok is false when none does. The freezer is part of every v2 group.
func (c Cgroups) Dir(controller string) (dir string, ok bool) {
	if c.Mode == Unified {
		return c.Root, controller == "freezer" || slices.Contains(c.V2, controller)
	}
	dir, ok = c.V1[v1Name(controller)]
	return dir, ok
}

// Hierarchies lists the distinct mount points in which a container needs a
// control group of its own: one for v2, one for each v1 controller in use.
func (c Cgroups) Hierarchies() []string {
	var dirs []string
	for _, name := range Controllers {
		if dir, ok := c.Dir(name); ok && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

func detectCgroups(root string) (Cgroups, error) {
	f, err := os.Open(filepath.Join(root, "proc/self/mountinfo"))
	if err != nil {
		return Cgroups{}, fmt.Errorf("read the mount table: %w", err)
	}
	defer f.Close()
	c, err := parseCgroups(f)
	if err != nil || c.Root == "" {
		return c, err
	}
	have, err := os.ReadFile(filepath.Join(root, c.Root, "cgroup.controllers"))
	if err != nil {
		return c, fmt.Errorf("read the controllers of cgroup v2: %w", err)
	}
	c.V2 = strings.Fields(string(have))
	if on, err := os.ReadFile(filepath.Join(root, c.Root, "cgroup.subtree_control")); err == nil {
		c.Enabled = strings.Fields(string(on))
	}
	return c, nil
}

// parseCgroups reads the cgroup mounts from mountinfo: proc_pid_mountinfo(5).
// Only mounts of a hierarchy's root count.
func parseCgroups(r io.Reader) (Cgroups, error) {
	c := Cgroups{Mode: None, V1: map[string]string{}}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if !bytes.Contains(lines.Bytes(), []byte(" - cgroup")) { // of most lines no more need be known
			continue
		}
		before, after, ok := strings.Cut(lines.Text(), " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if !ok || len(left) < 5 || len(right) < 3 {
			continue
		}
		dir := left[4]
		if (right[0] == "cgroup" || right[0] == "cgroup2") && !slices.Contains(c.Mounts, dir) {
			c.Mounts = append(c.Mounts, dir)
		}
		switch right[0] {
		case "cgroup2":
			if c.Root == "" {
				c.Root = dir
			}
		case "cgroup":
			for _, option := range strings.Split(right[2], ",") {
				if _, seen := c.V1[option]; !seen && isController(option) {
					c.V1[option] = dir
				}
			}
		}
	}
	switch {
	case len(c.V1) > 0 && c.Root != "":
		c.Mode = Hybrid
	case len(c.V1) > 0:
		c.Mode = Legacy
	case c.Root != "":
		c.Mode = Unified
	}
	return c, lines.Err()
}

// isController tells a controller from the other mount options of a v1 hierarchy.
func isController(option string) bool {
	for _, name := range Controllers {
		if option == v1Name(name) {
			return true
		}
	}
	return false
}
