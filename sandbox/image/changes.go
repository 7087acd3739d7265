package image

import (
	"archive/tar"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"cutaway/sandbox/image/store"
	"cutaway/sandbox/sys"
)

// WriteChanges writes what a container changed as the tar archive of one more
// layer: the upper directory of its overlay, with overlayfs's marks turned into
// the names that image-spec layer.md has for them. It is Unpack the other way
// round, for the same owner. The container must not run on meanwhile.
func WriteChanges(w io.Writer, upper string, o Owner) error {
	root, err := os.OpenRoot(upper)
	if err != nil {
		return err
	}
	defer root.Close()
	c := changes{root: root, dir: upper, owner: o, tar: tar.NewWriter(w), names: map[uint64]string{}}
	err = fs.WalkDir(root.FS(), ".", c.visit)
	return errors.Join(err, c.tar.Close())
}

// changes is an archive being written.
type changes struct {
	root  *os.Root
	dir   string
	owner Owner
	tar   *tar.Writer
	names map[uint64]string // of files with more than one: inode to the first name
}

// visit writes the entries of one file.
func (c *changes) visit(name string, d fs.DirEntry, err error) error {
	if err != nil || name == "." {
		return err
	}
	info, err := d.Info()
	if err != nil {
		return err
	}
	if err := c.write(name, info); err != nil {
		return fmt.Errorf("archive %s: %w", filepath.Join(c.dir, name), err)
	}
	return nil
}

func (c *changes) write(name string, info fs.FileInfo) error {
	dir, base := split(name)
	if strings.HasPrefix(base, whiteoutPrefix) {
		return errors.New("in a layer this name means that another is gone")
	}
	if store.IsWhiteout(info) {
		return c.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: path.Join(dir, whiteoutPrefix+base), ModTime: info.ModTime(), Format: tar.FormatPAX})
	}
	h, opaque, err := c.header(name, info)
	if h == nil || err != nil {
		return err
	}
	if err := c.tar.WriteHeader(h); err != nil {
		return err
	}
	switch {
	case opaque:
		return c.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: path.Join(name, whiteoutOpaque), ModTime: info.ModTime(), Format: tar.FormatPAX})
	case h.Typeflag == tar.TypeReg:
		return c.content(name)
	}
	return nil
}

func (c *changes) content(name string) error {
	f, err := c.root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(c.tar, f)
	return err
}

// header is what an archive says of a file before its content; nil of a socket,
// which ends with its process.
func (c *changes) header(name string, info fs.FileInfo) (h *tar.Header, opaque bool, err error) {
	st := info.Sys().(*syscall.Stat_t)
	h = &tar.Header{Name: name, Mode: int64(st.Mode & 0o7777), ModTime: info.ModTime(), Format: tar.FormatPAX}
	if !c.owner.Squash {
		h.Uid, h.Gid = int(st.Uid)-c.owner.UIDBase, int(st.Gid)-c.owner.GIDBase
	}
	if h.Uid < 0 || h.Gid < 0 {
		return nil, false, fmt.Errorf("owner %d:%d on disk: %w", st.Uid, st.Gid, errBadID)
	}
	if first := c.names[st.Ino]; first != "" {
		h.Typeflag, h.Linkname = tar.TypeLink, first
		return h, false, nil
	}
	switch info.Mode().Type() {
	case 0:
		h.Typeflag, h.Size = tar.TypeReg, info.Size()
	case fs.ModeDir:
		h.Typeflag, h.Name = tar.TypeDir, name+"/"
	case fs.ModeSymlink:
		h.Typeflag = tar.TypeSymlink
		if h.Linkname, err = c.root.Readlink(name); err != nil {
			return nil, false, err
		}
	case fs.ModeNamedPipe:
		h.Typeflag = tar.TypeFifo
	case fs.ModeSocket:
		return nil, false, nil
	default:
		return nil, false, fmt.Errorf("%s: device nodes are not kept in layers", info.Mode())
	}
	if st.Nlink > 1 && !info.IsDir() {
		c.names[st.Ino] = name
	}
	opaque, err = c.xattrs(name, h)
	return h, opaque, err
}

// xattrs adds the extended attributes, but for those that are overlayfs's own.
func (c *changes) xattrs(name string, h *tar.Header) (opaque bool, err error) {
	all, err := sys.Xattrs(filepath.Join(c.dir, name))
	if err != nil {
		return false, fmt.Errorf("read extended attributes: %w", err)
	}
	for key, value := range all {
		mark, own := overlayMark(key)
		switch {
		case own && (mark == "redirect" || mark == "metacopy"):
			// What is here is only part of the file: the rest is in another layer.
			return false, fmt.Errorf("%s: only the mounted overlay has all of it", key)
		case own:
			opaque = opaque || slices.Contains(store.OpaqueXattrs, key) && string(value) == "y"
			continue
		case key == "security.selinux", strings.HasPrefix(key, "system.posix_acl_") && c.owner.UIDBase+c.owner.GIDBase != 0:
			continue // the host's label; and ids that would have to be mapped
		case key == "security.capability":
			value = portable(value, c.owner)
		}
		if h.PAXRecords == nil {
			h.PAXRecords = map[string]string{}
		}
		h.PAXRecords[paxXattr+key] = string(value)
	}
	return opaque, nil
}

// overlayMark gives the last word of one of overlayfs's own attributes.
func overlayMark(key string) (mark string, own bool) {
	for _, prefix := range []string{"trusted.overlay.", "user.overlay."} {
		if mark, own = strings.CutPrefix(key, prefix); own {
			return mark, true
		}
	}
	return "", false
}

// portable takes back what capability did: file capabilities that count for the
// root of one user namespace become those that count for whoever is root.
func portable(value []byte, o Owner) []byte {
	const revision, revision2, revision3, size2, size3 = 0xff000000, 0x02000000, 0x03000000, 20, 24
	if len(value) != size3 {
		return value
	}
	magic, root := binary.LittleEndian.Uint32(value), binary.LittleEndian.Uint32(value[size2:])
	if magic&revision != revision3 || int64(root) != int64(o.UIDBase) {
		return value
	}
	v2 := append([]byte(nil), value[:size2]...)
	binary.LittleEndian.PutUint32(v2, magic&^revision|revision2)
	return v2
}
