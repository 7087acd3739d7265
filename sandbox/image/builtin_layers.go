package image

import (
	"archive/tar"
	"cmp"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// entry is one file of a layer: the header it has in the archive, and its bytes.
type entry struct {
	tar.Header
	body []byte
}

// home is uid and gid of the user app.
const home = 1000

// base is layer 1: a root file system.
func (p *Parts) base() ([]entry, error) {
	entries := []entry{
		dir("dev", 0o755), dir("mnt", 0o755), dir("proc", 0o555), dir("run", 0o755),
		dir("sys", 0o555), dir("var/log", 0o755),
		dir("root", 0o700), dir("tmp", 0o1777), dir("var/tmp", 0o1777),
		dir("home/app", 0o755).ownedBy(home),
		program("bin/busybox", p.Busybox),
		// The shell shares busybox's inode, the other applets are links by name:
		// layers have both kinds, and /proc/PID/exe tells them apart.
		hardLink("bin/sh", "bin/busybox"), hardLink("bin/ash", "bin/busybox"),
		symlink("var/run", "../run"),
	}
	if p.Probe != nil {
		entries = append(entries, program("usr/bin/probe", p.Probe))
	}
	for _, applet := range p.Applets {
		switch applet {
		case "bin/busybox", "bin/sh", "bin/ash", "linuxrc":
		default:
			entries = append(entries, symlink(applet, "/bin/busybox"))
		}
	}
	return withFiles(entries, "1-base")
}

// change is layer 2: one file changed, one deleted, one directory made opaque.
// Its whiteouts are among its files.
func (p *Parts) change() ([]entry, error) { return withFiles(nil, "2-change") }

// app is layer 3: the application.
func (p *Parts) app() ([]entry, error) { return withFiles(nil, "3-app") }

// withFiles adds the files kept below builtin/layers/NAME, and all directories
// on the way to any entry.
func withFiles(entries []entry, name string) ([]entry, error) {
	files, err := fs.Sub(builtInFiles, "builtin/layers/"+name)
	if err != nil {
		return nil, err
	}
	err = fs.WalkDir(files, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(files, p)
		e := entry{Header: tar.Header{Typeflag: tar.TypeReg, Name: p, Mode: 0o644}, body: body}
		switch { // embedded files have lost their mode
		case path.Base(path.Dir(p)) == "bin":
			e.Mode = 0o755
		case p == "etc/secret":
			e.Mode = 0o600
		}
		entries = append(entries, e)
		return err
	})
	return withParents(entries), err
}

// withParents adds the directories that no entry names.
func withParents(entries []entry) []entry {
	seen := map[string]bool{".": true}
	for _, e := range entries {
		if e.Typeflag == tar.TypeDir {
			seen[path.Clean(e.Name)] = true
		}
	}
	for _, e := range entries {
		for parent := path.Dir(path.Clean(e.Name)); !seen[parent]; parent = path.Dir(parent) {
			seen[parent] = true
			entries = append(entries, dir(parent, 0o755))
		}
	}
	return entries
}

// writeArchive writes the entries in an order that depends on their names
// alone, hard links after what they link to.
func writeArchive(w io.Writer, entries []entry) error {
	slices.SortFunc(entries, func(a, b entry) int {
		if a, b := a.Typeflag == tar.TypeLink, b.Typeflag == tar.TypeLink; a != b {
			if a {
				return 1
			}
			return -1
		}
		return cmp.Compare(a.Name, b.Name)
	})
	tw := tar.NewWriter(w)
	for _, e := range entries {
		e.Size, e.ModTime, e.Format = int64(len(e.body)), madeAt, tar.FormatUSTAR
		if err := tw.WriteHeader(&e.Header); err != nil {
			return err
		}
		if _, err := tw.Write(e.body); err != nil {
			return err
		}
	}
	return tw.Close()
}

// dir is a directory; its name ends in a slash, as in every layer.
func dir(name string, mode int64) entry {
	return entry{Header: tar.Header{Typeflag: tar.TypeDir, Name: strings.TrimSuffix(name, "/") + "/", Mode: mode}}
}

func (e entry) ownedBy(id int) entry {
	e.Uid, e.Gid = id, id
	return e
}

func program(name string, body []byte) entry {
	return entry{Header: tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o755}, body: body}
}

func hardLink(name, target string) entry {
	return entry{Header: tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: target, Mode: 0o755}}
}

func symlink(name, target string) entry {
	return entry{Header: tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777}}
}
