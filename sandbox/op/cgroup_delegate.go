package op

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"

	"cutaway/sandbox/sys"
)

// CgroupDelegate gives a v2 group to a user, who may then make groups below it
// and share out among them what the group has: "Delegation" of cgroups(7). The
// files with the group's own limits stay root's.
type CgroupDelegate struct {
	Dir string `json:"dir"`
	UID int    `json:"uid"`
	GID int    `json:"gid"`
}

// Name implements Op.
func (CgroupDelegate) Name() string { return "cgroup_delegate" }

// Do implements Op.
func (o CgroupDelegate) Do(k *sys.Kernel, _ *Target) error {
	for _, path := range o.paths() {
		if err := k.Chown(path, o.UID, o.GID); err != nil {
			return at(err, "give %s to %d:%d", path, o.UID, o.GID)
		}
	}
	return nil
}

// Undo removes the groups that the user has made, the lowest first; the group
// itself belongs to another operation.
func (o CgroupDelegate) Undo(k *sys.Kernel) error {
	var below []string
	err := filepath.WalkDir(o.Dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != o.Dir {
			below = append(below, path)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	slices.Reverse(below)
	return errors.Join(at(err, "list the groups in %s", o.Dir), CgroupCreate{Dirs: below}.Undo(k))
}

// Shell implements Op.
func (o CgroupDelegate) Shell() string {
	return "chown " + itoa(int64(o.UID)) + ":" + itoa(int64(o.GID)) + " " + quoteAll(o.paths())
}

// paths are what a group consists of for who makes groups in it; all its other
// files are limits and counters.
func (o CgroupDelegate) paths() []string {
	paths := []string{o.Dir}
	for _, file := range []string{"cgroup.procs", "cgroup.threads", "cgroup.subtree_control"} {
		paths = append(paths, filepath.Join(o.Dir, file))
	}
	return paths
}
