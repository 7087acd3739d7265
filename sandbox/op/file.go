package op

import (
	"errors"
	"os"
	"strings"

	"cutaway/sandbox/sys"
)

// Dir is a directory the lab keeps on the host for one container: its root, or
// the upper and work directory of its overlay.
type Dir struct {
	Path string `json:"path"`
	Mode uint32 `json:"mode"`
	UID  int    `json:"uid"` // owner, as the host counts
	GID  int    `json:"gid"`
}

// Name implements Op.
func (Dir) Name() string { return "mkdir" }

// Do implements Op.
func (o Dir) Do(k *sys.Kernel, _ *Target) error {
	if err := k.Mkdir(o.Path, o.Mode); err != nil {
		return at(err, "make directory %s", o.Path)
	}
	if o.UID == 0 && o.GID == 0 {
		return nil
	}
	return at(k.Chown(o.Path, o.UID, o.GID), "give %s to %d:%d", o.Path, o.UID, o.GID)
}

// Undo removes the directory and what is in it.
func (o Dir) Undo(k *sys.Kernel) error {
	return at(removeAll(k, o.Path), "remove directory %s", o.Path)
}

// Removes implements Remover.
func (o Dir) Removes() string { return o.Path }

// Shell implements Op.
func (o Dir) Shell() string { return "mkdir -p " + quote(o.Path) }

// Symlinks makes symbolic links inside the container, such as /dev/fd.
type Symlinks struct {
	Links []Link `json:"links"`
}

// Link is one symbolic link: symlink(2).
type Link struct {
	Target string `json:"target"`
	Path   string `json:"path"`
}

// Name implements Op.
func (Symlinks) Name() string { return "symlink" }

// Do implements Op.
func (o Symlinks) Do(k *sys.Kernel, _ *Target) error {
	for _, l := range o.Links {
		path := l.Path
		if !k.Dry {
			var err error
			if path, err = insideFile(path); err != nil {
				return err
			}
		}
		if err := k.Symlink(l.Target, path); err != nil {
			return at(err, "link %s to %s", path, l.Target)
		}
	}
	return nil
}

// Shell implements Op.
func (o Symlinks) Shell() string {
	lines := make([]string, len(o.Links))
	for i, l := range o.Links {
		lines[i] = "ln -s " + quote(l.Target) + " " + quote(l.Path)
	}
	return strings.Join(lines, "; ")
}

// Chdir changes the payload's working directory, making it if it is missing.
type Chdir struct {
	Path string `json:"path"`
}

// Name implements Op.
func (Chdir) Name() string { return "chdir" }

// Do implements Op.
func (o Chdir) Do(k *sys.Kernel, _ *Target) error {
	err := k.Chdir(o.Path)
	if errors.Is(err, os.ErrNotExist) {
		path, followed := inside(o.Path)
		if followed != nil {
			return followed
		}
		if err := mkdirs(k, path); err != nil {
			return err
		}
		err = k.Chdir(path)
	}
	return at(err, "change to directory %s", o.Path)
}

// Shell implements Op.
func (o Chdir) Shell() string { return "cd " + quote(o.Path) }

// File is a small file the lab writes on the host for one container, to be
// bound into it: resolv.conf, hosts, hostname.
type File struct {
	Path string `json:"path"`
	Text string `json:"text"`
	UID  int    `json:"uid"`
	GID  int    `json:"gid"`
}

// Name implements Op.
func (File) Name() string { return "file" }

// Do implements Op.
func (o File) Do(k *sys.Kernel, _ *Target) error {
	if err := k.Create(o.Path); err != nil {
		return at(err, "create %s", o.Path)
	}
	if err := k.Write(o.Path, o.Text); err != nil {
		return at(err, "write %s", o.Path)
	}
	if o.UID == 0 && o.GID == 0 {
		return nil
	}
	return at(k.Chown(o.Path, o.UID, o.GID), "give %s to %d:%d", o.Path, o.UID, o.GID)
}

// Shell implements Op.
func (o File) Shell() string {
	return "printf %s " + quote(o.Text) + " > " + quote(o.Path)
}
